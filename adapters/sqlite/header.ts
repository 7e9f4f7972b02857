/** The first 100 bytes of a database file (https://sqlite.org/fileformat2.html, section 1.3). */

const MAGIC = "SQLite format 3\0";
const HEADER_BYTES = 100;

/** What a path holds, as its first bytes say. */
export type Header =
  | { readonly kind: "missing" }
  | { readonly kind: "folder" }
  | { readonly kind: "empty" }
  | { readonly kind: "other" }
  | { readonly kind: "sqlite"; readonly wal: boolean; readonly pageSize: number };

/**
 * Reads the header of a file. Opens and closes the file, which drops all locks that this process holds on it: to be
 * called before SQLite opens the file, never while it has it open.
 */
export function readHeader(path: string): Header {
  let stat: Deno.FileInfo;
  try {
    stat = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    throw error;
  }
  if (stat.isDirectory) return { kind: "folder" };
  if (!stat.isFile) return { kind: "other" };
  if (stat.size === 0) return { kind: "empty" };
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  let done = 0;
  while (done < HEADER_BYTES) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) return { kind: "other" };
    done += count;
  }
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 16)) !== MAGIC) return { kind: "other" };
  const view = new DataView(bytes.buffer);
  const size = view.getUint16(16);
  return { kind: "sqlite", wal: view.getUint8(18) === 2, pageSize: size === 1 ? 65_536 : size };
}
