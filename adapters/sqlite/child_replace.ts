/** Replaces the content of a database that others may have open. For the child process only. */
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import type { Job } from "./job.ts";
import { copyPages } from "./child_backup.ts";
import { readHeader } from "./header.ts";
import type { Calls } from "./messages.ts";
import { openTarget, pragma, readPrivate } from "./open.ts";
import { fromSqlite, notSqlite } from "./sqlite_errors.ts";

/**
 * Answers `replace`: copies all pages of `source` into `target` by the backup API, which is one transaction of the
 * target: programs that have it open see the old content or the new one. Its journal mode stays as it was.
 *
 * Throws `target_exists` when the target was filled by somebody since it was found empty, `refused` when its page size
 * cannot be changed because others have it open, `source_locked` when a lock is held too long.
 */
export async function replaceContent(input: Calls["replace"]["input"], job: Job): Promise<null> {
  checkTarget(input.target);
  leaveWal(input.source);
  const { pageSize, content } = readSource(input.source);
  const db = openTarget(input.target, input.lockLimitMilliseconds);
  try {
    if (!input.overwrite) checkEmptyOrSame(db, content, input.target);
    if (pragma(db, "journal_mode") === "wal" && pragma(db, "page_size") !== pageSize) {
      changeMode(db, "delete", input.target);
    }
    waitForLock(db, input.target);
  } finally {
    db.close();
  }
  job.checkParent();
  await copyInto(input, job);
  keepMode(input);
  return null;
}

/** A dump of a WAL database is one itself; its header would carry that mode into the target. */
export function leaveWal(path: string): void {
  const header = readHeader(path);
  if (header.kind !== "sqlite" || !header.wal) return;
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = DELETE");
  } finally {
    db.close();
  }
}

function readSource(path: string): { readonly pageSize: string | number; readonly content: string } {
  return readPrivate(path, (db) => ({ pageSize: pragma(db, "page_size"), content: schemaOf(db) }));
}

function schemaOf(db: DatabaseSync): string {
  return JSON.stringify(db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all());
}

/** Throws unless the target is an SQLite database, or empty. */
export function checkTarget(path: string): void {
  const header = readHeader(path);
  if (header.kind === "sqlite" || header.kind === "empty") return;
  if (header.kind === "missing") {
    throw new CairnError("not_found", `${path} was removed while it was being restored`, {
      hint: "cancel this restore and start it again",
    });
  }
  throw notSqlite(path);
}

function checkEmptyOrSame(db: DatabaseSync, content: string, path: string): void {
  const found = schemaOf(db);
  if (found === "[]" || found === content) return;
  throw new CairnError("target_exists", `${path} was empty when the restore began, and has tables now`, {
    hint: "restore beside it with --into, or say --overwrite",
  });
}

/** Waits for the locks of the target here, where it costs nothing: the backup API asks for them again and again. */
function waitForLock(db: DatabaseSync, path: string): void {
  const mode = pragma(db, "journal_mode") === "wal" ? "IMMEDIATE" : "EXCLUSIVE";
  try {
    db.exec(`BEGIN ${mode}; ROLLBACK`);
  } catch (error) {
    throw fromSqlite(error, path) ?? error;
  }
}

async function copyInto(input: Calls["replace"]["input"], job: Job): Promise<void> {
  const source = new DatabaseSync(input.source, { readOnly: true });
  try {
    await copyPages(source, input.target, { ...input, path: input.target }, job);
  } finally {
    source.close();
  }
}

/** Gives the target its journal mode back, where the page size or the content changed it. */
function keepMode(input: Calls["replace"]["input"]): void {
  const db = openTarget(input.target, input.lockLimitMilliseconds);
  try {
    const wanted = input.journalMode === "wal" ? "wal" : "delete";
    const isWal = pragma(db, "journal_mode") === "wal";
    if (isWal !== (wanted === "wal")) changeMode(db, wanted, input.target);
  } finally {
    db.close();
  }
}

function changeMode(db: DatabaseSync, mode: "wal" | "delete", path: string): void {
  try {
    if (pragma(db, `journal_mode = ${mode}`) === mode) return;
  } catch (error) {
    if (!(error instanceof Error) || !/locked/.test(error.message)) throw error;
  }
  throw new CairnError("refused", `the page size or journal mode of ${path} cannot change while it is open`, {
    hint: "stop the programs that use it, then resume the restore",
  });
}
