/**
 * The table of contents of a dump in PostgreSQL's custom format, which stands in front of the data.
 *
 * The format is documented by its reader only: `ReadHead`, `ReadToc`, `ReadInt` and `ReadStr` in
 * `src/bin/pg_dump/pg_backup_archiver.c`, and `_ReadExtraToc` in `pg_backup_custom.c`. Known here are its versions 1.14
 * (PostgreSQL 12 to 15), 1.15 (16) and 1.16 (17, 18).
 */
import { CairnError } from "../../errors.ts";

/** One object of the dump. */
export interface TocEntry {
  readonly id: number;
  /** True when a block of data with this id follows. */
  readonly hasData: boolean;
  readonly tag: string;
  /** For example `TABLE`, `TABLE DATA`, `FK CONSTRAINT`. */
  readonly kind: string;
  readonly definition: string;
  /** The COPY statement of table data, with its line break. */
  readonly copy: string;
  readonly schema: string;
  readonly owner: string;
  /** The ids of the entries it needs. */
  readonly needs: readonly number[];
}

/** A whole table of contents. */
export interface Toc {
  /** The minor version of the format: 14, 15 or 16. */
  readonly format: number;
  /** The bytes of an integer in the file, after the one of its sign. */
  readonly integerBytes: number;
  /** True when the blocks of data are not compressed, so that rows can be counted. */
  readonly isPlain: boolean;
  /** The version of the pg_dump that wrote it. */
  readonly toolVersion: string;
  readonly entries: readonly TocEntry[];
}

const MAGIC = [0x50, 0x47, 0x44, 0x4d, 0x50];
const CUSTOM_FORMAT = 1;
const NEWEST_FORMAT = 16;
const OLDEST_FORMAT = 14;
/** Far more than any object's definition, so that a forged length cannot make us wait for ever. */
const MAX_TEXT_BYTES = 2 ** 28;

/** Thrown inside when more bytes are needed; never seen outside. */
const MORE = Symbol("more bytes");

/** Reads a table of contents from bytes that arrive bit by bit. */
export interface TocReader {
  /** Takes all bytes there are; returns the table and the bytes behind it once it is complete. Throws `verification`. */
  push(
    bytes: Uint8Array<ArrayBuffer>,
  ): { readonly toc: Toc; readonly rest: Uint8Array<ArrayBuffer> } | undefined;
}

/** Makes a reader. */
export function createTocReader(): TocReader {
  let buffer = new Uint8Array(0);
  let filled = 0;
  let at = 0;
  let head: (Omit<Toc, "entries"> & { readonly count: number; readonly offsetBytes: number }) | undefined;
  const entries: TocEntry[] = [];

  function byte(): number {
    const value = at < filled ? buffer[at] : undefined;
    if (value === undefined) throw MORE;
    at++;
    return value;
  }

  function integer(size: number): number {
    const sign = byte();
    let value = 0;
    for (let index = 0; index < size; index++) value += byte() * 2 ** (8 * index);
    return sign === 0 ? value : -value;
  }

  function text(size: number): string {
    const length = integer(size);
    if (length < 0) return "";
    if (length > MAX_TEXT_BYTES) throw malformed("a text is too long");
    if (at + length > filled) throw MORE;
    at += length;
    return new TextDecoder().decode(buffer.subarray(at - length, at));
  }

  function readHead(): typeof head {
    for (const expected of MAGIC) if (byte() !== expected) throw malformed("it does not begin with PGDMP");
    const major = byte();
    const format = byte();
    byte(); // revision
    if (major !== 1 || format < OLDEST_FORMAT || format > NEWEST_FORMAT) {
      throw new CairnError(
        "newer_version",
        `the dump has version ${major}.${format} of pg_dump's custom format`,
        {
          hint: `this Cairn knows 1.${OLDEST_FORMAT} to 1.${NEWEST_FORMAT}: upgrade it`,
        },
      );
    }
    const integerBytes = byte();
    const offsetBytes = byte();
    if (integerBytes < 1 || integerBytes > 8 || offsetBytes > 8) {
      throw malformed("its integers have an odd size");
    }
    if (byte() !== CUSTOM_FORMAT) throw malformed("it is not in custom format");
    const compression = format >= 15 ? byte() : integer(integerBytes);
    for (let field = 0; field < 7; field++) integer(integerBytes); // when it was made
    text(integerBytes); // database
    text(integerBytes); // server's version
    const toolVersion = text(integerBytes);
    const count = integer(integerBytes);
    return { format, integerBytes, offsetBytes, isPlain: compression === 0, toolVersion, count };
  }

  function readEntry({ format, integerBytes: size, offsetBytes }: NonNullable<typeof head>): TocEntry {
    const id = integer(size);
    const hasData = integer(size) !== 0;
    text(size); // oid of the catalog
    text(size); // oid
    const tag = text(size);
    const kind = text(size);
    integer(size); // section
    const definition = text(size);
    text(size); // how to drop it
    const copy = text(size);
    const schema = text(size);
    text(size); // tablespace
    text(size); // access method
    if (format >= 16) integer(size); // kind of relation
    const owner = text(size);
    text(size); // with oids
    const needs: number[] = [];
    for (;;) {
      const need = text(size);
      if (need === "") break;
      needs.push(Number(need));
    }
    for (let skip = 0; skip < 1 + offsetBytes; skip++) byte(); // where the data is, unknown in a pipe
    return { id, hasData, tag, kind, definition, copy, schema, owner, needs };
  }

  function append(bytes: Uint8Array): void {
    if (filled + bytes.length > buffer.length) {
      const larger = new Uint8Array(Math.max(2 * buffer.length, filled + bytes.length));
      larger.set(buffer.subarray(0, filled));
      buffer = larger;
    }
    buffer.set(bytes, filled);
    filled += bytes.length;
  }

  return {
    push(bytes) {
      append(bytes);
      let entryStart = at;
      try {
        head ??= readHead();
        entryStart = at;
        while (head !== undefined && entries.length < head.count) {
          entries.push(readEntry(head));
          entryStart = at;
        }
      } catch (error) {
        if (error !== MORE) throw error;
        at = entryStart;
        return undefined;
      }
      if (head === undefined) return undefined;
      const { format, integerBytes, isPlain, toolVersion } = head;
      return { toc: { format, integerBytes, isPlain, toolVersion, entries }, rest: buffer.slice(at, filled) };
    },
  };
}

/** The oldest PostgreSQL whose `pg_restore` reads the format. */
export function majorForFormat(format: number): number {
  return { 14: 12, 15: 16 }[format] ?? 17;
}

/** The error for a dump that is not what it should be. */
export function malformed(why: string): CairnError {
  return new CairnError("verification", `this is no whole dump of pg_dump in custom format: ${why}`, {
    hint: "take or restore another backup; this one is not to be trusted",
  });
}
