/** Reads stored parts, in order and one ahead, checks each against its manifest, and gives their decrypted bytes. */
import { CairnError } from "../errors.ts";
import { prefixBytes, SEALED_UNIT_BYTES, UNIT_BYTES, UNIT_CHUNKS } from "./age_layout.ts";
import type { ChunkPosition } from "./chunks.ts";
import { createFiller, type Filler } from "./filler.ts";
import type { Pool } from "./pool.ts";
import { createBuffers, type Queue } from "./queue.ts";
import { type CheckedPart, createCheckedPart, damaged, missing, type StoredPart } from "./stored_part.ts";
import type { Piece } from "./task.ts";

/** Decrypted bytes of a part; and when all of them came and the stored ones were right, its end. */
export type PartEvent =
  | { readonly kind: "bytes"; readonly part: StoredPart; readonly piece: Promise<LentPiece> }
  | { readonly kind: "end"; readonly part: StoredPart };

/** A piece that is given back with `release` when its bytes are no longer needed. */
export interface LentPiece extends Piece {
  release(): void;
}

/** What {@linkcode readParts} is told. */
export interface ReadPartsOptions {
  open(part: StoredPart, signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Empty: the parts are not encrypted. */
  readonly identities: readonly string[];
  readonly pool: Pool;
  readonly signal: AbortSignal;
}

/**
 * Puts the bytes and the ends of all parts into `events`, then ends it. The next part is opened before the one in
 * hand is read, so that a far store's delay is hidden.
 *
 * Throws `verification` for a part that is missing or not as stated, `key` when no identity fits.
 */
export async function readParts(
  parts: readonly StoredPart[],
  events: Queue<PartEvent>,
  options: ReadPartsOptions,
): Promise<void> {
  const { signal, pool, identities } = options;
  const encrypted = identities.length > 0;
  const unitBytes = encrypted ? SEALED_UNIT_BYTES : UNIT_BYTES;
  const units = createBuffers(pool.workers + 3, unitBytes, signal);
  const plain = createBuffers(pool.workers + 3, UNIT_BYTES, signal);
  let ahead: Promise<Filler> | undefined;

  function openAhead(part: StoredPart | undefined): void {
    if (!part || ahead) return;
    ahead = openPart(part);
    ahead.catch(() => {});
  }

  async function openPart(part: StoredPart): Promise<Filler> {
    try {
      return createFiller(await options.open(part, signal));
    } catch (cause) {
      throw cause instanceof CairnError && cause.code === "not_found" ? missing(part, cause) : cause;
    }
  }

  async function readPart(part: StoredPart, source: CheckedPart, following?: StoredPart): Promise<void> {
    let piece = await source.fill(await units.take(), 0, unitBytes);
    let key: Uint8Array | undefined;
    if (encrypted) {
      ({ key, rest: piece } = await cutPrefix(part, source, piece, identities));
      piece = await source.fill(piece.buffer, piece.length, unitBytes);
    }
    for (let counter = 0;; counter += UNIT_CHUNKS) {
      const lent = key ? unseal(piece, { key, counter, last: source.ended }) : lend(piece);
      lent.catch(() => {});
      await events.push({ kind: "bytes", part, piece: lent });
      if (source.position >= part.storedBytes / 2) openAhead(following);
      if (source.ended) break;
      piece = await source.fill(await units.take(), 0, unitBytes);
    }
    await source.finish();
  }

  function lend(piece: Piece): Promise<LentPiece> {
    return Promise.resolve({ ...piece, release: () => units.give(piece.buffer) });
  }

  async function unseal(piece: Piece, position: ChunkPosition): Promise<LentPiece> {
    const { output, spent } = await pool.run({ kind: "open", ...position }, piece, await plain.take());
    units.give(spent);
    return { ...output, release: () => plain.give(output.buffer) };
  }

  try {
    for (const [index, part] of parts.entries()) {
      const filler = await (ahead ?? openPart(part));
      ahead = undefined;
      const stop = () => filler.stop(signal.reason);
      signal.addEventListener("abort", stop);
      try {
        signal.throwIfAborted();
        await readPart(part, createCheckedPart(part, filler), parts[index + 1]);
      } finally {
        signal.removeEventListener("abort", stop);
        await filler.stop(signal.reason);
      }
      await events.push({ kind: "end", part });
    }
    events.end();
  } finally {
    // Not awaited: it may be slow, and nothing depends on it.
    ahead?.then((filler) => filler.stop(signal.reason), () => {});
  }
}

/** Cuts header and nonce off the first bytes of an age file, and finds its key. */
async function cutPrefix(
  part: StoredPart,
  source: CheckedPart,
  piece: Piece,
  identities: readonly string[],
): Promise<{ key: Uint8Array; rest: Piece }> {
  const bytes = new Uint8Array(piece.buffer, 0, piece.length);
  try {
    const prefix = prefixBytes(bytes);
    if (prefix === undefined) throw new CairnError("verification", "it does not begin with an age header");
    const { openAge } = await import("./age_stream.ts");
    const key = await openAge(bytes.subarray(0, prefix), identities);
    bytes.copyWithin(0, prefix);
    return { key, rest: { buffer: piece.buffer, length: piece.length - prefix } };
  } catch (cause) {
    // Where the part is damaged, that is the news, and not that its header fits no key.
    await source.finish();
    if (!(cause instanceof CairnError) || cause.code !== "verification") throw cause;
    throw damaged(part, cause.message, cause.cause);
  }
}
