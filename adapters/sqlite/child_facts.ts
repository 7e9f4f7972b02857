/** Looks at a database without changing it. For the child process only. */
import type { Calls, Facts, Found } from "./messages.ts";
import { readHeader } from "./header.ts";
import { openSource, pragma } from "./open.ts";
import { tableNames } from "./schema.ts";

/** The version of SQLite that does the work, for example `3.50.2`. */
export function versionOf(db: ReturnType<typeof openSource>): string {
  return String(db.prepare("SELECT sqlite_version() AS version").get()?.version);
}

/** Answers `facts`. */
export function readFacts(input: Calls["facts"]["input"]): Facts {
  const log = sizeOf(`${input.path}-wal`);
  const db = openSource(input.path, input.lockLimitMilliseconds);
  try {
    return {
      engineVersion: `SQLite ${versionOf(db)}`,
      bytes: Number(pragma(db, "page_count")) * Number(pragma(db, "page_size")) + log,
      journalMode: String(pragma(db, "journal_mode")),
      pageSize: Number(pragma(db, "page_size")),
      encoding: String(pragma(db, "encoding")),
      tables: tableNames(db).length,
    };
  } finally {
    db.close();
  }
}

/** Answers `inspect`. */
export function readTarget(input: Calls["inspect"]["input"]): Found {
  const header = readHeader(input.path);
  if (header.kind === "missing") return { kind: "missing" };
  if (header.kind === "other") return { kind: "other" };
  if (header.kind === "empty") return { kind: "database", tables: 0, views: 0, journalMode: "delete" };
  const db = openSource(input.path, input.lockLimitMilliseconds);
  try {
    const row = db.prepare("SELECT count(*) AS views FROM sqlite_schema WHERE type = 'view'").get();
    return {
      kind: "database",
      tables: tableNames(db).length,
      views: Number(row?.views),
      journalMode: String(pragma(db, "journal_mode")),
    };
  } finally {
    db.close();
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
