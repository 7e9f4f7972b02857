/**
 * The way back: stored parts become the plain byte stream again, decrypted and decompressed in workers, delivered
 * in order.
 *
 * Parts, manifests and stores are not trusted. The stream ends only when everything was as stated; otherwise it
 * errors, though bytes may have come before. So an end of the stream is a proof, and a consumer that acts on it
 * (commits, renames) acts on the whole.
 */
import { createHash } from "node:crypto";
import { CairnError } from "../errors.ts";
import { createCollector } from "./collect.ts";
import type { Codec, Compression } from "./codec.ts";
import { createFrameSplitter } from "./frame_splitter.ts";
import { type PartEvent, readParts } from "./part_reader.ts";
import type { Pool } from "./pool.ts";
import { createBuffers, createQueue } from "./queue.ts";
import { damaged, type StoredPart } from "./stored_part.ts";

export type { StoredPart } from "./stored_part.ts";

/** What {@linkcode openParts} is told. */
export interface OpenOptions {
  /** Opens the stored bytes of a part. `not_found` is reported as damage of the backup; other errors pass. */
  open(part: StoredPart, signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** How its frames are compressed. */
  readonly codec: Codec;
  /** age identities that may fit; none: the parts are not encrypted. */
  readonly identities: readonly string[];
  /** The size of the whole, in bytes. */
  readonly plainBytes: number;
  /** SHA-256 of the whole, in lower-case hexadecimal, where it is known. */
  readonly plainSha256?: string | undefined;
  /** Where the work is done. */
  readonly pool: Pool;
  /** Ends the stream with an error. */
  readonly signal: AbortSignal;
  /** Called with the size of each block that is delivered. */
  onPlain?(bytes: number): void;
}

/**
 * The plain stream of `parts`. Work begins with the first read; cancelling the stream stops it.
 *
 * The stream errors with `verification`, naming the part, when anything is not as stated; with `key` when no identity
 * fits; with whatever `open` throws; with the signal's reason.
 */
export function openParts(
  parts: readonly StoredPart[],
  options: OpenOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { codec, pool } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const credits = 2 * pool.workers + 3;
  const events = createQueue<PartEvent>(pool.workers + 2, signal);
  const blocks = createQueue<Promise<Uint8Array<ArrayBuffer>>>(credits, signal);
  // Frames differ in size: a buffer that proves too small is replaced, so that all soon fit.
  const frames = createBuffers(credits, 0, signal);
  const plainHash = options.plainSha256 === undefined ? undefined : createHash("sha256");
  const delivered = createCollector(8 << 20);
  let settled: Promise<void> | undefined;

  const cancelled = () => stopping.abort(options.signal.reason);

  function begin(): Promise<void> {
    if (options.signal.aborted) cancelled();
    options.signal.addEventListener("abort", cancelled);
    const stages = [splitParts(), readParts(parts, events, { ...options, signal })];
    return Promise.all(stages.map((stage) => stage.catch((cause) => stopping.abort(cause)))).then(() => {
      options.signal.removeEventListener("abort", cancelled);
    });
  }

  /** Finds the frames in the decrypted bytes and has them decoded. A part begins and ends with a whole frame. */
  async function splitParts(): Promise<void> {
    checkSum(parts, options.plainBytes);
    const splitter = createFrameSplitter(codec);
    let partBytes = 0;
    for (let event = await events.pull(); event; event = await events.pull()) {
      const { part } = event;
      if (event.kind === "end") {
        if (splitter.rest > 0) throw damaged(part, "it ends within a frame");
        if (partBytes !== part.plainBytes) throw wrongSize(part, partBytes);
        partBytes = 0;
        continue;
      }
      const piece = await naming(part, event.piece);
      splitter.add(new Uint8Array(piece.buffer, 0, piece.length));
      piece.release();
      for (let found = next(part); found; found = next(part)) {
        partBytes += found.frame.plainBytes;
        if (partBytes > part.plainBytes) throw wrongSize(part, partBytes);
        if (found.frame.skippable) continue;
        const block = codec === "none"
          ? Promise.resolve(found.bytes.slice())
          : decode(codec, part, found.bytes, found.frame.plainBytes, await frames.take());
        block.catch((cause) => stopping.abort(cause));
        await blocks.push(block);
      }
    }
    blocks.end();

    function next(part: StoredPart): ReturnType<typeof splitter.next> {
      try {
        return splitter.next();
      } catch (cause) {
        throw cause instanceof CairnError ? damaged(part, cause.message, cause) : cause;
      }
    }
  }

  async function decode(
    codec: Compression,
    part: StoredPart,
    bytes: Uint8Array,
    plainBytes: number,
    buffer: ArrayBuffer,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const frame = buffer.byteLength < bytes.length ? new ArrayBuffer(bytes.length) : buffer;
    new Uint8Array(frame).set(bytes);
    const task = { kind: "decompress", codec, plainBytes } as const;
    const { output, spent } = await naming(part, pool.run(task, { buffer: frame, length: bytes.length }));
    frames.give(spent);
    return new Uint8Array(output.buffer, 0, output.length);
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    settled ??= begin();
    let block = await blocks.pull();
    while (block?.length === 0) block = await blocks.pull();
    if (!block) {
      await settled;
      signal.throwIfAborted();
      checkWhole();
      return controller.close();
    }
    plainHash?.update(block);
    delivered(block.length);
    options.onPlain?.(block.length);
    controller.enqueue(block);
  }

  function checkWhole(): void {
    const sha256 = plainHash?.digest("hex");
    if (sha256 === options.plainSha256) return;
    throw new CairnError(
      "verification",
      `the SHA-256 of the restored content is ${sha256}, the manifest says ${options.plainSha256}`,
      { hint: "restore from another copy of this backup, or from another backup" },
    );
  }

  return new ReadableStream({
    pull,
    async cancel(reason) {
      stopping.abort(reason ?? new CairnError("interrupted", "reading was stopped"));
      await settled;
    },
  }, { highWaterMark: 0 });
}

/** The total is checked before a byte comes out, so that later only the parts' own sizes matter. */
function checkSum(parts: readonly StoredPart[], plainBytes: number): void {
  if (parts.length === 0) throw new CairnError("verification", "the manifest lists no parts");
  const sum = parts.reduce((total, part) => total + part.plainBytes, 0);
  if (sum === plainBytes) return;
  throw new CairnError("verification", `the parts add up to ${sum} bytes, the manifest says ${plainBytes}`);
}

function wrongSize(part: StoredPart, atLeast: number): CairnError {
  return damaged(part, `it decodes to ${atLeast} bytes or more, the manifest says ${part.plainBytes}`);
}

/** Reports what a worker found wrong as damage of the part. */
async function naming<T>(part: StoredPart, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof CairnError && cause.code === "verification")) throw cause;
    throw damaged(part, cause.message, cause);
  }
}
