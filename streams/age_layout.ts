/** Sizes and places in an age v1 file. Format: https://c2sp.org/age */

/** Bytes of plaintext in each chunk of a payload but the last. */
export const CHUNK_BYTES = 65_536;
/** Bytes that the authentication tag adds to each chunk. */
export const TAG_BYTES = 16;
/** How many chunks a worker seals or opens at a time. */
export const UNIT_CHUNKS = 16;
/** Plaintext of a whole unit, in bytes. */
export const UNIT_BYTES: number = UNIT_CHUNKS * CHUNK_BYTES;
/** A sealed unit, in bytes. */
export const SEALED_UNIT_BYTES: number = UNIT_CHUNKS * (CHUNK_BYTES + TAG_BYTES);
/** Longer headers are refused: a thousand recipients fit. */
export const MAX_HEADER_BYTES: number = 1 << 18;

/** Bytes of the payload's nonce, which follows the header. */
export const NONCE_BYTES = 16;

/** The size of header and nonce at the start of an age file; undefined when `start` is too short to tell. */
export function prefixBytes(start: Uint8Array): number | undefined {
  // The header ends with the line `--- <43 characters of base64>`.
  for (let at = start.indexOf(0x0a); at >= 0; at = start.indexOf(0x0a, at + 1)) {
    if (start[at + 1] !== 0x2d || start[at + 2] !== 0x2d || start[at + 3] !== 0x2d) continue;
    const end = start.indexOf(0x0a, at + 1);
    return end < 0 || end + 1 + NONCE_BYTES > start.length ? undefined : end + 1 + NONCE_BYTES;
  }
  return undefined;
}

/** The size of an age file's payload for so many bytes of plaintext. */
export function sealedBytes(plainBytes: number): number {
  return plainBytes + TAG_BYTES * Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES));
}
