/**
 * Finds where frames end in a decrypted part, without decoding them, so that they can be decoded in parallel.
 *
 * zstd: RFC 8878 §3.1; gzip: RFC 1952 with our extra field (`compression.ts`). Input is not trusted: a frame that
 * states more than {@linkcode MAX_BLOCK_BYTES}, or does not state its size, is refused before memory is spent on it.
 */
import { CairnError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { GZIP_EXTRA_BYTES, GZIP_FIELD_ID, GZIP_HEADER_BYTES } from "./compression.ts";

/** The most plaintext that one frame may hold, in bytes. */
export const MAX_BLOCK_BYTES: number = 8 << 20;
/** The most bytes that one frame may take: incompressible content grows by less than 1/256. */
export const MAX_FRAME_BYTES: number = MAX_BLOCK_BYTES + (MAX_BLOCK_BYTES >> 7) + 1024;

/** A whole frame at the start of some bytes. */
export interface Frame {
  /** How long it is, in bytes. */
  readonly bytes: number;
  /** How many bytes it states to decode to. A skippable frame has none. */
  readonly plainBytes: number;
  /** True for a zstd frame that holds no data (RFC 8878 §3.1.2). */
  readonly skippable: boolean;
}

/**
 * The first frame of `bytes`; undefined when it goes on behind their end.
 *
 * Throws `verification` when the bytes are no frame of this codec, or one that is refused.
 */
export function firstFrame(codec: Codec, bytes: Uint8Array): Frame | undefined {
  const frame = codec === "zstd" ? zstdFrame(bytes) : codec === "gzip" ? gzipFrame(bytes) : rawFrame(bytes);
  // A frame whose end is not seen yet may already be longer than any honest one.
  if ((frame?.bytes ?? bytes.length) > MAX_FRAME_BYTES) throw forged("it is too long");
  return frame;
}

function rawFrame(bytes: Uint8Array): Frame | undefined {
  const length = Math.min(bytes.length, MAX_BLOCK_BYTES);
  return length === 0 ? undefined : { bytes: length, plainBytes: length, skippable: false };
}

const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_HEADER_BYTES = 3;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

function zstdFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < 5) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  // The sixteen skippable magic numbers differ in their last four bits.
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return skippableFrame(view);
  if (magic !== ZSTD_MAGIC) throw forged("it does not begin with zstd's magic number");
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x03) !== 0) throw forged("it needs a dictionary");
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (sizeBytes === 0) throw forged("it does not state its content size");
  const sizeAt = singleSegment ? 5 : 6;
  let at = sizeAt + sizeBytes;
  if (bytes.length < at) return undefined;
  const plainBytes = zstdContentSize(view, sizeAt, sizeBytes);
  if (plainBytes > MAX_BLOCK_BYTES) throw forged(`it states ${plainBytes} bytes, more than a block may have`);
  for (let last = false; !last;) {
    if (bytes.length < at + BLOCK_HEADER_BYTES) return undefined;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) throw forged("it has a block of a reserved type");
    at += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : header >> 3);
  }
  if ((descriptor & 0x04) !== 0) at += 4;
  return bytes.length < at ? undefined : { bytes: at, plainBytes, skippable: false };
}

function zstdContentSize(view: DataView, at: number, sizeBytes: number): number {
  switch (sizeBytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

function skippableFrame(view: DataView): Frame | undefined {
  if (view.byteLength < 8) return undefined;
  const bytes = 8 + view.getUint32(4, true);
  if (bytes > MAX_FRAME_BYTES) throw forged("it is too long");
  return view.byteLength < bytes ? undefined : { bytes, plainBytes: 0, skippable: true };
}

function gzipFrame(bytes: Uint8Array): Frame | undefined {
  const header = GZIP_HEADER_BYTES + GZIP_EXTRA_BYTES;
  if (bytes.length < header) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== 0x8b1f || view.getUint8(3) !== 4) {
    throw forged("it is no gzip member of ours");
  }
  const [first, second] = GZIP_FIELD_ID;
  const ours = view.getUint16(10, true) === GZIP_EXTRA_BYTES - 2 && view.getUint8(12) === first &&
    view.getUint8(13) === second && view.getUint16(14, true) === 4;
  if (!ours) throw forged("it is no gzip member of ours");
  const length = view.getUint32(16, true);
  if (length < header + 10 || length > MAX_FRAME_BYTES) throw forged(`it states a length of ${length} bytes`);
  if (bytes.length < length) return undefined;
  const plainBytes = view.getUint32(length - 4, true);
  if (plainBytes > MAX_BLOCK_BYTES) throw forged(`it states ${plainBytes} bytes, more than a block may have`);
  return { bytes: length, plainBytes, skippable: false };
}

function forged(why: string): CairnError {
  return new CairnError("verification", `a frame is damaged or forged: ${why}`);
}
