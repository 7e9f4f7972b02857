/** A stored part as its manifest states it, and a reading of it that holds the stored bytes against that. */
import { createHash } from "node:crypto";
import { CairnError } from "../errors.ts";
import type { Filler } from "./filler.ts";
import type { Piece } from "./task.ts";

/** A part as a manifest states it. */
export interface StoredPart {
  /** Its name in the store, for example `000001.zst.age`. */
  readonly name: string;
  /** The artifact that it belongs to, for messages. */
  readonly artifact?: string;
  /** What it decodes to. */
  readonly plainBytes: number;
  /** Its size in the store. */
  readonly storedBytes: number;
  /** SHA-256 of the stored bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

const HINT = "restore from another copy of this backup, or from another backup";

/** The error for a part that is not what its manifest states. */
export function damaged(part: StoredPart, why: string, cause?: unknown): CairnError {
  return new CairnError("verification", `part ${shortName(part)} is damaged: ${why}`, { hint: HINT, cause });
}

/** The error for a part that is not there. */
export function missing(part: StoredPart, cause: unknown): CairnError {
  return new CairnError("verification", `part ${shortName(part)} is missing`, { hint: HINT, cause });
}

function shortName(part: StoredPart): string {
  const number = part.name.split(".")[0] ?? part.name;
  return part.artifact === undefined ? number : `${number} of ${part.artifact}`;
}

/** Reads the stored bytes of one part. */
export interface CheckedPart {
  /** Fills a buffer from `from` up to `to`; shorter only at the part's end. Throws `verification` when it is cut off. */
  fill(buffer: ArrayBuffer, from: number, to: number): Promise<Piece>;
  /** How many stored bytes were read. */
  readonly position: number;
  /** True when all stated bytes were read. */
  readonly ended: boolean;
  /** Reads what is left, and throws `verification` unless size and checksum are as stated. */
  finish(): Promise<void>;
}

/** Begins to read a part from a stream of its stored bytes. */
export function createCheckedPart(part: StoredPart, filler: Filler): CheckedPart {
  const hash = createHash("sha256");
  let position = 0;

  async function fill(buffer: ArrayBuffer, from: number, to: number): Promise<Piece> {
    const end = Math.min(to, from + part.storedBytes - position);
    const piece = await filler.fill(buffer, from, end);
    hash.update(new Uint8Array(piece.buffer, from, piece.length - from));
    position += piece.length - from;
    if (piece.length === end) return piece;
    throw damaged(part, `it is truncated: ${position} of ${part.storedBytes} bytes are there`);
  }

  return {
    fill,
    get position() {
      return position;
    },
    get ended() {
      return position === part.storedBytes;
    },
    async finish() {
      let buffer = new ArrayBuffer(1 << 16);
      while (position < part.storedBytes) ({ buffer } = await fill(buffer, 0, buffer.byteLength));
      if ((await filler.fill(new ArrayBuffer(1), 0, 1)).length > 0) {
        throw damaged(part, `it is longer than the ${part.storedBytes} bytes that the manifest says`);
      }
      const sha256 = hash.digest("hex");
      if (sha256 === part.sha256) return;
      throw damaged(part, `its SHA-256 is ${sha256}, the manifest says ${part.sha256}`);
    },
  };
}
