/** The plain bytes of a frozen snapshot, from any offset. */
import { CairnError } from "../../errors.ts";
import type { Dump, DumpFacts, Snapshot } from "../adapter.ts";
import { frozenFile } from "./snapshot.ts";

const CHUNK_BYTES = 1 << 18;

/** See `Adapter.dump`. The file is opened when the first byte is asked for. */
export function dumpFile(
  snapshot: Snapshot,
  request: { readonly offset: number; readonly signal: AbortSignal },
): Dump {
  const path = frozenFile(snapshot);
  const { promise: finished, resolve, reject } = Promise.withResolvers<DumpFacts>();
  // Whoever only reads the stream learns of the same error there.
  finished.catch(() => {});
  let file: Deno.FsFile | undefined;
  let done = request.offset;
  const close = () => {
    request.signal.removeEventListener("abort", abort);
    file?.close();
    file = undefined;
  };
  let fail = (error: unknown) => {
    close();
    reject(error);
  };
  const abort = () => fail(request.signal.reason);
  const stream = new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    start(controller) {
      fail = (error) => {
        close();
        controller.error(error);
        reject(error);
      };
      request.signal.addEventListener("abort", abort, { once: true });
      if (request.signal.aborted) abort();
    },
    async pull(controller) {
      try {
        file ??= await openAt(path, done);
        const view = controller.byobRequest?.view;
        if (view === undefined || view === null) {
          throw new CairnError("internal", "a byte stream asks with a view");
        }
        const count = await file.read(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
        if (request.signal.aborted) return;
        if (count !== null) {
          done += count;
          controller.byobRequest?.respond(count);
          return;
        }
        if (done !== snapshot.plainBytes) throw wrongSize(path, done, snapshot.plainBytes);
        close();
        controller.close();
        controller.byobRequest?.respond(0);
        resolve({ warnings: [] });
      } catch (error) {
        if (request.signal.aborted) return;
        fail(error);
      }
    },
    cancel(reason) {
      close();
      reject(reason ?? new CairnError("interrupted", "the dump was not read to its end"));
    },
  });
  return { stream, finished };
}

async function openAt(path: string, offset: number): Promise<Deno.FsFile> {
  const file = await Deno.open(path);
  await file.seek(offset, Deno.SeekMode.Start);
  return file;
}

function wrongSize(path: string, found: number, stated: number): CairnError {
  return new CairnError("internal", `the copy ${path} has ${found} bytes instead of ${stated}`, {
    hint: "something else wrote to the spool: abandon this run and back up again",
    passing: false,
  });
}
