/**
 * A plain byte stream becomes sealed parts: blocks, compressed to independent frames in workers, collected in order
 * into parts, each of which is then an age file of its own.
 *
 * It is one continuous pipeline: while a part is synced the next ones are read and compressed. What bounds it are
 * the buffers that its stages lend each other, so that memory is flat and a slow consumer slows the source.
 */
import type { Hash } from "node:crypto";
import { CairnError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { createFiller } from "./filler.ts";
import { firstFrame, MAX_BLOCK_BYTES } from "./frames.ts";
import { partName } from "./part_name.ts";
import { createAgePacker, createPlainPacker } from "./part_packer.ts";
import { createPartWriter, type SealedPart, type StoredPiece } from "./part_writer.ts";
import type { Pool } from "./pool.ts";
import { createBuffers, createQueue } from "./queue.ts";

export { partName } from "./part_name.ts";
export type { SealedPart } from "./part_writer.ts";

/** How parts are made. The same settings and the same bytes give parts that decode to the same bytes. */
export interface SealSettings {
  /** How frames are compressed. */
  readonly codec: Codec;
  /** The codec's own level; `none` has none. */
  readonly level: number;
  /** Plaintext in each frame, in bytes, at most 4 MiB. */
  readonly blockBytes: number;
  /** A part ends with the frame that brings it to this many compressed bytes. */
  readonly partBytes: number;
  /** age recipients; none: the parts are not encrypted. */
  readonly recipients: readonly string[];
}

/** What {@linkcode sealParts} is told. */
export interface SealOptions {
  /** Where the parts go; it exists. Leftovers of the same name are replaced. */
  readonly folder: string;
  /** The number of the first part: 1, or where an earlier process stopped. */
  readonly firstNumber: number;
  /** Where the source begins in the whole, in bytes. */
  readonly plainOffset: number;
  /** How the parts are made. */
  readonly settings: SealSettings;
  /** Where the work is done. */
  readonly pool: Pool;
  /** Fed with the plain bytes, in order. */
  readonly plainHash: Hash;
  /** Ends the work; `next` then rejects. */
  readonly signal: AbortSignal;
  /** How long the source may give nothing while it is read; without it there is no limit. */
  readonly stallMilliseconds?: number;
  /** Called with the size of each block that was read. */
  onPlain?(bytes: number): void;
}

/** Gives the parts, in order. Disposing it stops everything and cancels the source. */
export interface PartSealer extends AsyncDisposable {
  /**
   * The next part, when its file and its name are on the disk; undefined after the last. At most one finished part
   * waits to be taken while the next is written.
   *
   * Rejects with the cause of any failure, from then on always; a half-written file stays in the folder, for the
   * caller to remove.
   */
  next(): Promise<SealedPart | undefined>;
  /** How many plain bytes were read so far. */
  readonly plainBytes: number;
}

interface MadeFrame extends StoredPiece {
  readonly plainBytes: number;
  /** Has seen all plaintext up to the end of this frame. */
  readonly hash: Hash;
}

/** Begins to seal `source`. An empty source gives one part. */
export function sealParts(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: SealOptions,
): PartSealer {
  const { settings, pool } = options;
  const { codec, level, blockBytes } = settings;
  if (blockBytes < 1 || blockBytes > MAX_BLOCK_BYTES / 2) {
    throw new RangeError(`blocks of ${blockBytes} bytes are not supported`);
  }
  const stopping = new AbortController();
  const { signal } = stopping;
  const credits = 2 * pool.workers + 3;
  const blocks = createBuffers(credits, blockBytes, signal);
  // Incompressible content grows by less than 1/256 and a header.
  const outputs = createBuffers(credits, blockBytes + (blockBytes >> 7) + 1024, signal);
  const frames = createQueue<Promise<MadeFrame>>(credits, signal);
  const writer = createPartWriter(options.folder, stopping);
  const encrypted = settings.recipients.length > 0;
  const packer = encrypted
    ? createAgePacker(writer, settings.recipients, pool, signal)
    : createPlainPacker(writer);
  const filler = createFiller(source, { stallMilliseconds: options.stallMilliseconds });
  let plainBytes = 0;

  const cancelled = () => stopping.abort(options.signal.reason);
  if (options.signal.aborted) cancelled();
  options.signal.addEventListener("abort", cancelled);
  const stopSource = () => filler.stop(signal.reason);
  if (signal.aborted) stopSource();
  signal.addEventListener("abort", stopSource);

  async function readBlocks(): Promise<void> {
    for (let ended = false; !ended;) {
      const block = await filler.fill(await blocks.take(), 0, blockBytes);
      ended = block.length < blockBytes;
      if (block.length === 0 && plainBytes > 0) break;
      options.plainHash.update(new Uint8Array(block.buffer, 0, block.length));
      plainBytes += block.length;
      options.onPlain?.(block.length);
      const frame = makeFrame(block.buffer, block.length, options.plainHash.copy());
      frame.catch((cause) => stopping.abort(cause));
      await frames.push(frame);
    }
    frames.end();
  }

  async function makeFrame(block: ArrayBuffer, length: number, hash: Hash): Promise<MadeFrame> {
    if (codec === "none") {
      return {
        bytes: new Uint8Array(block, 0, length),
        plainBytes: length,
        hash,
        release: () => blocks.give(block),
      };
    }
    const input = { buffer: block, length };
    const { output, spent } = await pool.run({ kind: "compress", codec, level }, input, await outputs.take());
    blocks.give(spent);
    const bytes = new Uint8Array(output.buffer, 0, output.length);
    requireFrame(codec, bytes, length);
    return {
      bytes,
      plainBytes: length,
      hash,
      release: () => outputs.give(output.buffer),
    };
  }

  async function packParts(): Promise<void> {
    let number = options.firstNumber;
    let plainOffset = options.plainOffset;
    let part = { plainBytes: 0, frameBytes: 0, hash: options.plainHash };
    async function end(last: boolean): Promise<void> {
      await packer.end();
      const { plainBytes, hash } = part;
      await writer.close({ number, plainOffset, plainBytes, plainSha256: hash.digest("hex"), last });
      number += 1;
      plainOffset += part.plainBytes;
      part = { ...part, plainBytes: 0, frameBytes: 0 };
    }
    async function begin(): Promise<void> {
      await writer.open(partName(number, codec, encrypted));
      await packer.begin();
    }
    await begin();
    for (let frame = await frames.pull(); frame; frame = await frames.pull()) {
      // Only when more comes is it known that a full part is not the last.
      if (part.frameBytes >= settings.partBytes) {
        await end(false);
        await begin();
      }
      part.plainBytes += frame.plainBytes;
      part.frameBytes += frame.bytes.length;
      part.hash = frame.hash;
      await packer.add(frame);
    }
    await end(true);
  }

  const stages = [readBlocks(), packParts(), writer.run()].map((stage) =>
    stage.catch((cause) => stopping.abort(cause))
  );
  const settled = Promise.all(stages).then(() => {
    options.signal.removeEventListener("abort", cancelled);
    return filler.stop(signal.reason);
  });

  return {
    next: () => writer.next(),
    get plainBytes() {
      return plainBytes;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new CairnError("interrupted", "sealing was stopped"));
      await settled;
    },
  };
}

/** A backup that cannot be read is worse than none: each frame is walked through before it is sealed. */
function requireFrame(codec: Codec, bytes: Uint8Array, plainBytes: number): void {
  const frame = firstFrame(codec, bytes);
  if (frame?.bytes === bytes.length && frame.plainBytes === plainBytes && !frame.skippable) return;
  throw new CairnError("internal", `a block of ${plainBytes} bytes was not compressed to one whole frame`);
}
