/** Cuts a run of bytes that comes in pieces into whole frames. */
import type { Codec } from "./codec.ts";
import { firstFrame, type Frame } from "./frames.ts";

/** Collects bytes and gives the frames that are complete. */
export interface FrameSplitter {
  /** Adds bytes; they are copied. */
  add(bytes: Uint8Array): void;
  /**
   * The next whole frame, with its bytes, which are valid until the next call; undefined when more is needed.
   *
   * Throws `verification` for what is no frame, or one that is refused.
   */
  next(): { frame: Frame; bytes: Uint8Array } | undefined;
  /** How many bytes are left that are no whole frame. */
  readonly rest: number;
}

/** Makes an empty splitter. It holds at most one frame and one piece. */
export function createFrameSplitter(codec: Codec): FrameSplitter {
  let held = new Uint8Array(2 << 20);
  let start = 0;
  let end = 0;
  return {
    add(bytes) {
      if (end + bytes.length > held.length) {
        const rest = held.subarray(start, end);
        const needed = rest.length + bytes.length;
        const next = needed > held.length ? new Uint8Array(2 * needed) : held;
        next.set(rest);
        held = next;
        end -= start;
        start = 0;
      }
      held.set(bytes, end);
      end += bytes.length;
    },
    next() {
      const frame = firstFrame(codec, held.subarray(start, end));
      if (!frame) return undefined;
      start += frame.bytes;
      return { frame, bytes: held.subarray(start - frame.bytes, start) };
    },
    get rest() {
      return end - start;
    },
  };
}
