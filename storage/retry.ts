/**
 * Tries the calls of a store again while their errors may pass. For commands outside runs: in a run the journal counts
 * the tries of each step, and two layers of retries would multiply.
 */
import { toCairnError } from "../errors.ts";
import type { Store } from "./storage.ts";

/** How often, and how long between. */
export interface RetryOptions {
  /** Tries after the first; by default 4. */
  readonly retries?: number;
  /** The upper bound of the first delay, which doubles each time; by default 250. */
  readonly firstMilliseconds?: number;
  /** The largest upper bound; by default 8,000. */
  readonly maxMilliseconds?: number;
  /** Told of each failure that is tried again. */
  readonly onRetry?: (error: unknown, waitMilliseconds: number) => void;
  /** A number from 0 to 1; for tests. */
  readonly random?: () => number;
  /** Waits, and rejects with the signal's reason; for tests. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * The same store, patient: calls whose errors are `passing` are repeated after an exponential delay with full jitter
 * (AWS Architecture Blog, "Exponential Backoff and Jitter"). Each call of the contract is safe to repeat. A `get` is
 * repeated until it resolves; a stream that has begun is not, since its reader has seen bytes.
 */
export function retryingStore(store: Store, options: RetryOptions = {}): Store {
  const {
    retries = 4,
    firstMilliseconds = 250,
    maxMilliseconds = 8000,
    onRetry,
    random = Math.random,
    wait = waitMilliseconds,
  } = options;

  async function patient<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await call();
      } catch (error) {
        signal?.throwIfAborted();
        if (tries >= retries || !toCairnError(error).passing) throw error;
        const milliseconds = random() * Math.min(maxMilliseconds, firstMilliseconds * 2 ** tries);
        onRetry?.(error, milliseconds);
        await wait(milliseconds, signal);
      }
    }
  }

  return {
    url: store.url,
    capabilities: store.capabilities,
    put: (key, content, mode, call) => patient(call?.signal, () => store.put(key, content, mode, call)),
    get: (key, call) => patient(call?.signal, () => store.get(key, call)),
    stat: (key, call) => patient(call?.signal, () => store.stat(key, call)),
    list: (folder, call) => patient(call?.signal, () => store.list(folder, call)),
    delete: (key, call) => patient(call?.signal, () => store.delete(key, call)),
    close: () => store.close(),
  };
}

function waitMilliseconds(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
