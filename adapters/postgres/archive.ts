/**
 * Walks a dump in custom format as it streams by, and tells whether it is complete.
 *
 * The table of contents comes first and the format has no trailer, so that a cut file looks whole to `pg_restore -l`. What
 * tells is the data behind: each entry that announces data has one block, which begins with its kind and the entry's id,
 * and ends with a chunk of length 0 (`_StartData`, `_EndData`, `_StartLO` in `pg_backup_custom.c`).
 */
import { createTocReader, malformed, type Toc, type TocEntry } from "./toc.ts";

/** The rows of one table's data. */
export interface DataRows {
  readonly entry: TocEntry;
  /** Undefined where they cannot be counted: compressed data. */
  readonly rows: number | undefined;
}

/** Watches a dump. */
export interface ArchiveWalker {
  /** The table of contents, once it has passed. */
  readonly toc: Toc | undefined;
  /** Takes the next bytes; throws `verification` for what no dump has. */
  push(bytes: Uint8Array<ArrayBuffer>): void;
  /** The tables with data, in the order of the dump. Throws `verification` unless the dump is complete. */
  end(): readonly DataRows[];
}

const TABLE_BLOCK = 1;
const LARGE_OBJECTS_BLOCK = 3;
const LINE_BREAK = 0x0a;
/** What pg_dump writes behind the last row of a COPY: `\.` and three line breaks, of which none is a row. */
const BREAKS_AT_END = 3;

/** Makes a walker. */
export function createArchiveWalker(): ArchiveWalker {
  const reader = createTocReader();
  let toc: Toc | undefined;
  const waiting = new Map<number, TocEntry>();
  const tables: DataRows[] = [];

  let state: "block" | "id" | "object" | "length" | "data" = "block";
  let isLargeObjects = false;
  let entry: TocEntry | undefined;
  let left = 0;
  let breaks = 0;
  // An integer that is being read: its sign, then its bytes, the lowest first.
  let integerAt = -1;
  let integer = 0;

  /** Reads on in an integer; true when it is complete. */
  function readInteger(byte: number, size: number): boolean {
    if (integerAt < 0) {
      if (byte !== 0) throw malformed("a length is negative");
      integer = 0;
      integerAt = 0;
      return false;
    }
    integer += byte * 2 ** (8 * integerAt++);
    if (integerAt < size) return false;
    integerAt = -1;
    return true;
  }

  function beginBlock(id: number): void {
    entry = waiting.get(id);
    if (entry === undefined) throw malformed("data stands there that the table of contents does not know");
    waiting.delete(id);
    breaks = 0;
    state = isLargeObjects ? "object" : "length";
  }

  function endBlock(): void {
    if (entry?.kind === "TABLE DATA") {
      const rows = toc?.isPlain && breaks >= BREAKS_AT_END ? breaks - BREAKS_AT_END : undefined;
      tables.push({ entry, rows });
    }
    state = "block";
  }

  /** The same as below for chunks that are here as a whole, of which there is one for each row: ten times as fast. */
  function walkWholeChunks(bytes: Uint8Array, from: number): number {
    let at = from;
    let found = 0;
    const last = bytes.length - 5;
    while (at <= last && bytes[at] === 0) {
      const length = (bytes[at + 1] ?? 0) | (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0) << 16;
      const end = at + 5 + length;
      if (length === 0 || bytes[at + 4] !== 0 || end > bytes.length) break;
      found += countBreaks(bytes, at + 5, end);
      at = end;
    }
    breaks += found;
    return at;
  }

  function walk(bytes: Uint8Array, size: number): void {
    let at = 0;
    while (at < bytes.length) {
      if (state === "length" && integerAt < 0 && !isLargeObjects && size === 4) {
        at = walkWholeChunks(bytes, at);
        if (at === bytes.length) return;
      }
      if (state === "data") {
        const end = Math.min(bytes.length, at + left);
        if (!isLargeObjects) breaks += countBreaks(bytes, at, end);
        left -= end - at;
        at = end;
        if (left === 0) state = "length";
        continue;
      }
      const byte = bytes[at++] ?? 0;
      if (state === "block") {
        if (byte !== TABLE_BLOCK && byte !== LARGE_OBJECTS_BLOCK) {
          throw malformed("a block of data is of no known kind");
        }
        isLargeObjects = byte === LARGE_OBJECTS_BLOCK;
        state = "id";
      } else if (readInteger(byte, size)) {
        if (state === "id") beginBlock(integer);
        else if (state === "object") {
          if (integer === 0) endBlock();
          else state = "length";
        } else if (integer === 0) {
          if (isLargeObjects) state = "object";
          else endBlock();
        } else {
          left = integer;
          state = "data";
        }
      }
    }
  }

  return {
    get toc() {
      return toc;
    },
    push(bytes) {
      if (toc !== undefined) return walk(bytes, toc.integerBytes);
      const read = reader.push(bytes);
      if (read === undefined) return;
      toc = read.toc;
      for (const each of toc.entries) if (each.hasData) waiting.set(each.id, each);
      walk(read.rest, toc.integerBytes);
    },
    end() {
      if (toc === undefined) throw malformed("it ends within its table of contents");
      const [missing] = waiting.values();
      if (state !== "block") throw malformed(`it ends within the data of ${nameOf(entry)}`);
      if (missing !== undefined) throw malformed(`the data of ${nameOf(missing)} is missing`);
      return tables;
    },
  };
}

function nameOf(entry: TocEntry | undefined): string {
  if (entry === undefined) return "an unknown object";
  return entry.schema === "" ? entry.tag : `${entry.schema}.${entry.tag}`;
}

/** A native search costs too much for the few bytes of a short row. */
const SHORT = 256;

function countBreaks(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  if (to - from < SHORT) {
    for (let at = from; at < to; at++) if (bytes[at] === LINE_BREAK) count++;
    return count;
  }
  let at = bytes.indexOf(LINE_BREAK, from);
  while (at >= 0 && at < to) {
    count++;
    at = at + 1 < to ? bytes.indexOf(LINE_BREAK, at + 1) : -1;
  }
  return count;
}
