/** Reads a range of a file as a stream, without following a link in its place. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CairnError } from "../errors.ts";
import { systemError } from "./system_error.ts";

const CHUNK_BYTES = 1 << 18;

/** Which bytes of a file. */
export interface FileRange {
  /** The first byte. */
  readonly offset: number;
  /** How many, at most; to the end by default. */
  readonly length?: number | undefined;
}

/**
 * Opens a file and streams a range of it; a byte stream. The file is closed when the stream ends, fails or is cancelled.
 *
 * Throws `refused` when the path is a symbolic link, `not_found` when it is anything but a file, and system errors as
 * they are. The stream fails when the file is cut while it is read, and with the signal's reason.
 */
export async function readFileRange(
  path: string,
  range: FileRange,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  // Without waiting: a named pipe in the place of the file would otherwise block us until somebody writes to it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new CairnError("not_found", `${path} is not a file`);
    const end = Math.min(info.size, range.offset + (range.length ?? Infinity));
    return streamOf(handle, path, range.offset, end, signal);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function streamOf(
  handle: FileHandle,
  path: string,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let position = start;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    async pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view;
      if (!request || !view) throw new TypeError("a byte stream with automatic chunks always has a request");
      try {
        signal?.throwIfAborted();
        if (position >= end) {
          await handle.close();
          controller.close();
          request.respond(0);
          return;
        }
        const wanted = Math.min(view.byteLength, end - position);
        const into = new Uint8Array(view.buffer, view.byteOffset, wanted);
        const { bytesRead } = await handle.read(into, 0, wanted, position);
        if (bytesRead === 0) throw cut(path, position, end);
        position += bytesRead;
        request.respond(bytesRead);
      } catch (error) {
        await handle.close();
        throw systemError(error, `cannot read ${path}`);
      }
    },
    cancel: () => handle.close(),
  });
}

function cut(path: string, position: number, end: number): CairnError {
  return new CairnError("io", `${path} was cut while it was read: it ends at byte ${position} of ${end}`);
}
