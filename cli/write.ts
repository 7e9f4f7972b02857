/** Writes to standard output and error, at once and in order, so that nothing is left to flush. */
import type { StreamName } from "./terminal.ts";

const closed = new Set<StreamName>();
const encoder = new TextEncoder();
const pause = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MILLISECONDS = 5;

/**
 * Writes all of `text`. When the reader has gone (`cairn list | head -1`) this and everything later is dropped
 * without an error: a backup is not worth less because nobody watches it any more.
 */
export function write(stream: StreamName, text: string): void {
  if (closed.has(stream)) return;
  let rest = encoder.encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(Deno[stream].writeSync(rest));
    } catch (error) {
      // A full pipe that somebody else made non-blocking: wait for its reader.
      if (error instanceof Deno.errors.WouldBlock) Atomics.wait(pause, 0, 0, PAUSE_MILLISECONDS);
      else if (isGone(error)) {
        closed.add(stream);
        return;
      } else throw error;
    }
  }
}

/** The other end of the pipe or the terminal itself is not there any more (EPIPE, EIO, EBADF). */
function isGone(error: unknown): boolean {
  if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.BadResource) return true;
  return error instanceof Error && /\b(os error (5|9|32))\b/.test(error.message);
}
