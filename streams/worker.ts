/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** A worker of the pool: does one task at a time and sends every buffer back. */
import { sealedBytes } from "./age_layout.ts";
import { ChunkDamage, openChunks, sealChunks } from "./chunks.ts";
import { freeBytes, SHARED_BYTES } from "./collect.ts";
import { compressBlock, decompressFrame, FrameDamage } from "./compression.ts";
import type { Piece, Reply, Request } from "./task.ts";

self.onmessage = async (event: MessageEvent<Request>) => {
  const { id, input } = event.data;
  let reply: Reply;
  try {
    const output = await perform(event.data);
    reply = { id, output, spent: input.buffer };
    self.postMessage(reply, [output.buffer, input.buffer]);
  } catch (thrown) {
    const damage = thrown instanceof ChunkDamage || thrown instanceof FrameDamage;
    reply = { id, error: thrown instanceof Error ? thrown.message : String(thrown), damage };
    self.postMessage(reply);
  }
};

async function perform({ task, input, output }: Request): Promise<Piece> {
  const bytes = new Uint8Array(input.buffer, 0, input.length);
  switch (task.kind) {
    case "compress":
      return intoOutput(compressBlock(task.codec, task.level, bytes), output);
    case "decompress":
      return intoOutput(decompressFrame(task.codec, bytes, task.plainBytes), output);
    case "seal":
    case "open": {
      const target = output ?? new ArrayBuffer(sealedBytes(input.length));
      const work = task.kind === "seal" ? sealChunks : openChunks;
      return { buffer: target, length: await work(bytes, new Uint8Array(target), task) };
    }
  }
}

/** Copies a result into the buffer given for it, or sends the result's own buffer when it fills that. */
function intoOutput(result: Uint8Array, output: ArrayBuffer | undefined): Piece {
  const { buffer, length } = result;
  if (output === undefined || output.byteLength < length) {
    // A small result may stand in a buffer that node shares among many; that one must not leave.
    const own = buffer instanceof ArrayBuffer && result.byteOffset === 0 && length > SHARED_BYTES;
    // Not `slice`, which of a node buffer is no copy.
    return { buffer: own ? buffer : new Uint8Array(result).buffer, length };
  }
  new Uint8Array(output).set(result);
  freeBytes(result);
  return { buffer: output, length };
}
