/**
 * Opens databases of others so that as little as possible is left beside them. For the child process only.
 *
 * A dump may come from anywhere: no schema is trusted to call what could do harm (https://sqlite.org/security.html).
 */
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import { readHeader } from "./header.ts";
import { fromSqlite, locked, notSqlite } from "./sqlite_errors.ts";

/**
 * Opens a live database for reading, waiting for locks up to the limit.
 *
 * A WAL database without its log is opened for writing, though nothing is written: closing it then removes the
 * `-wal` and `-shm` that any reader makes, where a read-only connection would leave them. In every other case the
 * connection is read-only, but for a database whose writer died: rolling back is what each reader does then.
 *
 * Throws `not_found`, `source_invalid`, `source_locked`, `source_damaged` or `permission`.
 */
export function openSource(path: string, lockLimitMilliseconds: number): DatabaseSync {
  const header = headerOf(path);
  if (header.kind === "missing") {
    throw new CairnError("not_found", `the database ${path} does not exist`, { hint: "check the path" });
  }
  if (header.kind === "folder") {
    throw new CairnError("source_invalid", `${path} is a folder, not an SQLite database`, {
      hint: "name the database file in it",
    });
  }
  if (header.kind === "empty") {
    throw new CairnError("source_invalid", `${path} is empty: 0 bytes are no SQLite database`, {
      hint: "check the path, and that the program writes its database there",
    });
  }
  if (header.kind === "other") throw notSqlite(path);
  const leavesFiles = header.wal && !isThere(`${path}-wal`);
  try {
    return openForReading(path, !leavesFiles, lockLimitMilliseconds);
  } catch (error) {
    if (leavesFiles || !isThere(`${path}-journal`)) throw error;
    return openForReading(path, false, lockLimitMilliseconds);
  }
}

/**
 * Reads a database file that nobody else uses. What SQLite makes beside a WAL database is removed again; the file itself
 * is not changed.
 *
 * (A URI with `immutable=1` would do the same, but `node:sqlite` takes URIs only with all permissions.)
 */
export function readPrivate<T>(path: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec("PRAGMA trusted_schema = 0");
    return read(db);
  } finally {
    db.close();
    for (const suffix of ["-wal", "-shm"]) if (isThere(path + suffix)) Deno.removeSync(path + suffix);
  }
}

/** Opens a database for writing, with foreign keys not enforced, waiting for locks up to the limit. */
export function openTarget(path: string, lockLimitMilliseconds: number): DatabaseSync {
  const options = {
    enableForeignKeyConstraints: false,
    // Deno's types do not know it yet: lets the shadow tables of a virtual table be written.
    defensive: false,
  };
  const db = new DatabaseSync(path, options);
  try {
    db.exec(`PRAGMA busy_timeout = ${lockLimitMilliseconds}; PRAGMA trusted_schema = 0`);
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return db;
  } catch (error) {
    db.close();
    throw fromSqlite(error, path) ?? error;
  }
}

/** Makes an empty file that only its owner can read; SQLite takes it for a new database. */
export function createPrivate(path: string): void {
  Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
}

/** The value of a pragma that has one. */
export function pragma(db: DatabaseSync, name: string): string | number {
  const value = Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  if (typeof value === "string" || typeof value === "number") return value;
  throw new CairnError("internal", `SQLite does not answer PRAGMA ${name}`);
}

function openForReading(path: string, readOnly: boolean, lockLimitMilliseconds: number): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly });
    // As a pragma: Deno 2.7 passes over the option `timeout` of a read-only database.
    db.exec(
      `PRAGMA busy_timeout = ${lockLimitMilliseconds}; PRAGMA query_only = 1; PRAGMA trusted_schema = 0`,
    );
    // The first read takes a lock, recovers the log if need be, and parses the schema.
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof Error && /database is locked/.test(error.message)) throw locked(path, error);
    throw fromSqlite(error, path) ?? error;
  }
}

function headerOf(path: string) {
  try {
    return readHeader(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new CairnError("permission", `${path} cannot be read: permission denied`, {
      hint: "run as the user who owns it, or grant this user read access",
      cause: error,
    });
  }
}

/** True when something stands at a path. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
