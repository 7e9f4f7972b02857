/** Writes sealed parts to files, in order, while the bytes of the next ones are still being made. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CairnError, toCairnError } from "../errors.ts";
import { syncFolder, writeAll } from "./durable.ts";
import { createQueue } from "./queue.ts";

/** How many parts may be on the disk before the first of them is taken: one is waiting, one is written. */
const PARTS_ON_DISK = 2;

/** A finished part: its file, with its name, is on the disk. */
export interface SealedPart {
  /** From the number given on. */
  readonly number: number;
  /** The path of the file. */
  readonly file: string;
  /** Where its plaintext begins in the whole. */
  readonly plainOffset: number;
  /** What it decodes to. */
  readonly plainBytes: number;
  /** SHA-256 of all plaintext from the beginning of the whole to the end of this part, in lower-case hexadecimal. */
  readonly plainSha256: string;
  /** The size of the file. */
  readonly storedBytes: number;
  /** SHA-256 of the stored bytes, in lower-case hexadecimal. */
  readonly sha256: string;
  /** True for the part with which the source ends. */
  readonly last: boolean;
}

/** Stored bytes on their way to the file. */
export interface StoredPiece {
  /** What to write. */
  readonly bytes: Uint8Array;
  /** Called when they are written. */
  release(): void;
}

type Order =
  | { readonly kind: "open"; readonly name: string }
  | { readonly kind: "write"; readonly piece: Promise<StoredPiece> }
  | { readonly kind: "close"; readonly facts: PlainFacts };

/** What is known of a part before its bytes are stored. */
export type PlainFacts = Pick<SealedPart, "number" | "plainOffset" | "plainBytes" | "plainSha256" | "last">;

/** Takes orders in their order, and gives finished parts. Waiting orders hold buffers, which bounds their number. */
export interface PartWriter {
  /** Begins a file; the one before was closed. */
  open(name: string): Promise<void>;
  /** Adds to the file. */
  write(piece: Promise<StoredPiece>): Promise<void>;
  /** Ends the file. */
  close(facts: PlainFacts): Promise<void>;
  /** The next finished part; undefined after the last. Rejects with the signal's reason. */
  next(): Promise<SealedPart | undefined>;
  /** Works until the last part is closed; closes its files in any case. */
  run(): Promise<void>;
}

interface OpenFile {
  readonly path: string;
  readonly handle: Deno.FsFile;
  readonly hash: ReturnType<typeof createHash>;
  bytes: number;
}

/** Makes a writer into `folder`. When the pipeline stops, half-written files stay in it. */
export function createPartWriter(folder: string, stopping: AbortController): PartWriter {
  const { signal } = stopping;
  const orders = createQueue<Order>(64, signal);
  const finished = createQueue<SealedPart>(PARTS_ON_DISK, signal);
  const room = createQueue<true>(PARTS_ON_DISK, signal);

  /** The bytes, then the name: only then is a part finished. */
  async function finish(file: OpenFile, facts: PlainFacts): Promise<void> {
    try {
      await file.handle.sync();
    } finally {
      file.handle.close();
    }
    await syncFolder(folder);
    const sha256 = file.hash.digest("hex");
    await finished.push({ ...facts, file: file.path, storedBytes: file.bytes, sha256 });
  }

  return {
    open: (name) => orders.push({ kind: "open", name }),
    write: (piece) => orders.push({ kind: "write", piece }),
    close: (facts) => orders.push({ kind: "close", facts }),
    async next() {
      const part = await finished.pull();
      if (part) await room.pull();
      return part;
    },
    async run() {
      let file: OpenFile | undefined;
      let finishing: Promise<void> = Promise.resolve();
      try {
        for (let ended = false; !ended;) {
          const order = await orders.pull();
          if (order?.kind === "open") {
            await room.push(true);
            file = await create(join(folder, order.name));
          } else if (order?.kind === "write" && file) {
            await append(file, await order.piece);
          } else if (order?.kind === "close" && file) {
            await finishing;
            const closed = file;
            file = undefined;
            finishing = finish(closed, order.facts);
            finishing.catch((cause) => stopping.abort(named(cause, folder)));
            ended = order.facts.last;
          }
        }
        await finishing;
      } catch (error) {
        throw named(error, folder);
      } finally {
        file?.handle.close();
        await finishing.catch(() => {}); // thrown above, or there is an error before it
      }
      finished.end();
    },
  };
}

/** The system does not say which disk is full. */
function named(error: unknown, folder: string): unknown {
  if (error instanceof CairnError || toCairnError(error).code !== "no_space") return error;
  return new CairnError("no_space", `cannot write to ${folder}: no space left on the device`, {
    hint: "free some space and resume the run",
    cause: error,
  });
}

/**
 * A leftover of an earlier try is removed first, never written to: a store may have published it by a hard link.
 */
async function create(path: string): Promise<OpenFile> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const handle = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  return { path, handle, hash: createHash("sha256"), bytes: 0 };
}

async function append(file: OpenFile, piece: StoredPiece): Promise<void> {
  file.hash.update(piece.bytes);
  await writeAll(file.handle, piece.bytes);
  file.bytes += piece.bytes.length;
  piece.release();
}
