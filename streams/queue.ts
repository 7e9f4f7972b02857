/** A bounded queue between two stages that work at the same time: one pushes, one pulls. */

/** A queue of at most so many items. Once its signal is aborted, all calls reject with the signal's reason. */
export interface Queue<T> {
  /** Adds an item; waits while the queue is full. */
  push(item: T): Promise<void>;
  /**
   * Takes the oldest item, and awaits it where it is itself a promise; waits while there is none. Undefined when
   * the queue has ended and is empty.
   */
  pull(): Promise<T | undefined>;
  /** No more items will come. */
  end(): void;
}

/** Makes a queue for one pushing and one pulling stage. */
export function createQueue<T>(limit: number, signal: AbortSignal): Queue<T> {
  const items: T[] = [];
  let ended = false;
  let wake = Promise.withResolvers<void>();
  wake.promise.catch(() => {});
  signal.addEventListener("abort", () => wake.reject(signal.reason), { once: true });

  /** Both sides wait for any change and look again. */
  function changed(): void {
    if (signal.aborted) return;
    wake.resolve();
    wake = Promise.withResolvers();
    wake.promise.catch(() => {});
  }

  return {
    async push(item) {
      signal.throwIfAborted();
      while (items.length >= limit) await wake.promise;
      items.push(item);
      changed();
    },
    async pull() {
      signal.throwIfAborted();
      while (items.length === 0 && !ended) await wake.promise;
      signal.throwIfAborted();
      const item = items.shift();
      changed();
      return item;
    },
    end() {
      ended = true;
      changed();
    },
  };
}

/** A fixed number of equal buffers that are lent and given back: what bounds the memory of a pipeline. */
export interface Buffers {
  /** Lends a buffer; waits while all are out. Rejects with the signal's reason once that is aborted. */
  take(): Promise<ArrayBuffer>;
  /** Gives a buffer back. */
  give(buffer: ArrayBuffer): void;
  /** How many are lent at the moment. */
  readonly lent: number;
}

/** Makes up to `count` buffers of `bytes` each, when they are first needed. */
export function createBuffers(count: number, bytes: number, signal: AbortSignal): Buffers {
  const free: ArrayBuffer[] = [];
  const waiting: PromiseWithResolvers<ArrayBuffer>[] = [];
  let lent = 0;
  signal.addEventListener("abort", () => {
    for (const waiter of waiting.splice(0)) waiter.reject(signal.reason);
  }, { once: true });
  return {
    take() {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (lent < count) {
        lent += 1;
        return Promise.resolve(free.pop() ?? new ArrayBuffer(bytes));
      }
      const waiter = Promise.withResolvers<ArrayBuffer>();
      waiting.push(waiter);
      return waiter.promise;
    },
    give(buffer) {
      const waiter = waiting.shift();
      if (waiter) return waiter.resolve(buffer);
      lent -= 1;
      free.push(buffer);
    },
    get lent() {
      return lent;
    },
  };
}
