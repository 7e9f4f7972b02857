/** Fills buffers from a stream, whatever the size of the pieces in which it delivers, and notices when it stalls. */
import { CairnError } from "../errors.ts";
import { createCollector } from "./collect.ts";
import type { Piece } from "./task.ts";

/** Reads a stream into buffers. */
export interface Filler {
  /**
   * Fills `buffer` from byte `from` to byte `to`; the piece is shorter only when the stream has ended. The buffer
   * may come back as another object. Rejects with the stream's error, or the reason of a stop.
   */
  fill(buffer: ArrayBuffer, from: number, to: number): Promise<Piece>;
  /** Cancels the stream; a `fill` in progress and later ones reject with the reason. */
  stop(reason: unknown): Promise<void>;
}

/** How a {@linkcode Filler} watches its stream. */
export interface FillerOptions {
  /** The longest time that one read may wait for data; without it there is no limit. */
  readonly stallMilliseconds?: number | undefined;
}

/** Reads a byte stream straight into the buffers given (BYOB); of another stream the chunks are copied. */
export function createFiller(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: FillerOptions = {},
): Filler {
  const reader = openReader(source);
  const watch = watchStall(options.stallMilliseconds, stop);
  const stopping = new AbortController();
  let ended = false;

  async function stop(reason: unknown): Promise<void> {
    stopping.abort(reason);
    watch.end();
    // An error of the stream reaches whoever reads it; nobody waits for the outcome of giving it up.
    await reader.cancel(reason).catch(() => {});
  }

  return {
    async fill(buffer, from, to) {
      let piece: Piece = { buffer, length: from };
      while (piece.length < to && !ended) {
        stopping.signal.throwIfAborted();
        watch.waiting(true);
        const next = await reader.read(piece, to).finally(() => watch.waiting(false));
        // A stopped stream looks as if it had ended.
        stopping.signal.throwIfAborted();
        ({ piece, ended } = next);
      }
      if (ended) watch.end();
      return piece;
    },
    stop,
  };
}

interface PieceReader {
  /** Adds to the piece, at most up to `to`. */
  read(piece: Piece, to: number): Promise<{ readonly piece: Piece; readonly ended: boolean }>;
  cancel(reason: unknown): Promise<void>;
}

function openReader(source: ReadableStream<Uint8Array<ArrayBuffer>>): PieceReader {
  try {
    return byteReader(source.getReader({ mode: "byob" }));
  } catch (error) {
    // The one way to learn that a stream is no byte stream; a locked one fails again below.
    if (!(error instanceof TypeError)) throw error;
    return chunkReader(source.getReader());
  }
}

function byteReader(reader: ReadableStreamBYOBReader): PieceReader {
  return {
    async read(piece, to) {
      const room = new Uint8Array(piece.buffer, piece.length, to - piece.length);
      const { value, done } = await reader.read(room);
      // At the end the buffer comes back with an empty view; a cancelled stream keeps it.
      if (value === undefined) return { piece: { buffer: new ArrayBuffer(0), length: 0 }, ended: true };
      return { piece: { buffer: value.buffer, length: value.byteOffset + value.byteLength }, ended: done };
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function chunkReader(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): PieceReader {
  const dropped = createCollector(8 << 20);
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  return {
    async read(piece, to) {
      if (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return { piece, ended: true };
        rest = value;
        dropped(value.length);
      }
      const taken = rest.subarray(0, to - piece.length);
      new Uint8Array(piece.buffer).set(taken, piece.length);
      rest = rest.subarray(taken.length);
      return { piece: { buffer: piece.buffer, length: piece.length + taken.length }, ended: false };
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** One coarse timer instead of one for each read: there may be 60,000 reads in a gigabyte. */
function watchStall(
  milliseconds: number | undefined,
  stop: (reason: CairnError) => void,
): { waiting(now: boolean): void; end(): void } {
  if (milliseconds === undefined) return { waiting() {}, end() {} };
  let since: number | undefined;
  const timer = setInterval(() => {
    if (since === undefined || performance.now() - since < milliseconds) return;
    const seconds = Math.round(milliseconds / 100) / 10;
    stop(
      new CairnError("tool_failed", `the source gave no data for ${seconds} s`, {
        hint: "see whether the database is locked or overloaded; raise the limit if it is only slow",
      }),
    );
  }, Math.max(1, milliseconds / 4));
  return {
    waiting(now) {
      since = now ? performance.now() : undefined;
    },
    end: () => clearInterval(timer),
  };
}
