/**
 * Seals and opens the chunks of an age payload (STREAM: ChaCha20-Poly1305, a counter and a last-chunk flag as
 * nonce).
 */
import { CHUNK_BYTES, TAG_BYTES } from "./age_layout.ts";
import { type Cipher, loadCipher } from "./cipher.ts";

let loading: Promise<Cipher> | undefined;

/** Where in its payload a run of chunks stands. */
export interface ChunkPosition {
  /** The payload key. */
  readonly key: Uint8Array;
  /** The number of the first chunk, from 0. */
  readonly counter: number;
  /** True when the payload ends with these chunks. */
  readonly last: boolean;
}

/** A chunk was changed, is at another place than it was made for, or belongs to another file. */
export class ChunkDamage extends Error {}

/**
 * Seals `plain` as chunks into `output` and tells how many bytes that makes.
 *
 * Only the last run of a payload may be no multiple of {@linkcode CHUNK_BYTES}, or empty when it is also the first.
 */
export async function sealChunks(
  plain: Uint8Array,
  output: Uint8Array,
  position: ChunkPosition,
): Promise<number> {
  const cipher = await (loading ??= loadCipher(CHUNK_BYTES));
  let written = 0;
  forEachChunk(plain, CHUNK_BYTES, position, (chunk, nonce) => {
    output.set(cipher.seal(chunk, nonce, position.key), written);
    written += chunk.length + TAG_BYTES;
  });
  return written;
}

/** Opens what {@linkcode sealChunks} made. Throws {@linkcode ChunkDamage}. */
export async function openChunks(
  sealed: Uint8Array,
  output: Uint8Array,
  position: ChunkPosition,
): Promise<number> {
  const cipher = await (loading ??= loadCipher(CHUNK_BYTES));
  let written = 0;
  forEachChunk(sealed, CHUNK_BYTES + TAG_BYTES, position, (chunk, nonce, counter) => {
    const emptyTail = chunk.length === TAG_BYTES && counter > 0;
    if (chunk.length < TAG_BYTES || emptyTail) throw new ChunkDamage(`chunk ${counter} is cut off`);
    const plain = cipher.open(chunk, nonce, position.key);
    if (!plain) throw new ChunkDamage(`chunk ${counter} fails its authentication`);
    output.set(plain, written);
    written += plain.length;
  });
  return written;
}

/** Calls `action` for each chunk of `bytes` with its nonce: an 11-byte counter, big-endian, and the flag. */
function forEachChunk(
  bytes: Uint8Array,
  chunkBytes: number,
  position: ChunkPosition,
  action: (chunk: Uint8Array, nonce: Uint8Array, counter: number) => void,
): void {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  let counter = position.counter;
  let start = 0;
  do {
    const end = Math.min(bytes.length, start + chunkBytes);
    const last = position.last && end === bytes.length;
    if (!last && end - start !== chunkBytes) throw new RangeError("only the last chunk may be short");
    view.setBigUint64(3, BigInt(counter));
    nonce[11] = last ? 1 : 0;
    action(bytes.subarray(start, end), nonce, counter);
    counter += 1;
    start = end;
  } while (start < bytes.length);
}
