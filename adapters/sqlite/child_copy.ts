/** Makes a consistent copy of a live database by the online backup API. For the child process only. */
import type { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import type { Job } from "./job.ts";
import { copyPages } from "./child_backup.ts";
import { countRows, quickCheck } from "./child_check.ts";
import { versionOf } from "./child_facts.ts";
import { reduceTo } from "./child_settle.ts";
import type { Calls, Copied } from "./messages.ts";
import { createPrivate, openSource, pragma, readPrivate } from "./open.ts";
import { selectsAll } from "../selection.ts";
import { fromSqlite } from "./sqlite_errors.ts";

const TRIES_WITHOUT_LOCK = 3;
const RETRY_MILLISECONDS = 100;

/** Answers `copy`. */
export async function copyDatabase(input: Calls["copy"]["input"], job: Job): Promise<Copied> {
  const whole = selectsAll(input.selection);
  const copy = whole ? input.target : input.scratch;
  const db = openSource(input.source, input.lockLimitMilliseconds);
  createPrivate(copy);
  const warnings: string[] = [];
  let engineVersion: string;
  try {
    engineVersion = `SQLite ${versionOf(db)}`;
    db.exec(`PRAGMA busy_timeout = ${Math.min(RETRY_MILLISECONDS, input.lockLimitMilliseconds)}`);
    const held = await copyLive(db, copy, input, job);
    if (held > 0) {
      warnings.push(
        `the database changed again and again while it was copied, so its writers were held for ` +
          `${(held / 1000).toFixed(1)} s (WAL mode avoids that)`,
      );
    }
  } finally {
    db.close();
  }
  if (!whole) reduceTo(copy, input.selection, input.target, input.source);
  try {
    return readPrivate(input.target, (checked) => {
      warnings.push(...quickCheck(checked, input.source).warnings);
      const counts = countRows(checked);
      return { engineVersion, tables: counts.tables, warnings: [...warnings, ...counts.warnings] };
    });
  } catch (error) {
    throw error instanceof CairnError ? error : fromSqlite(error, input.source) ?? error;
  }
}

/**
 * Copies all pages and returns for how many milliseconds writers had to wait.
 *
 * In WAL mode a read transaction is held from the start: writers go on beside it, and without it the copy would begin
 * anew at each commit. In the other modes it would hold the writers, so that the copy first runs without; when writers
 * made it begin anew for the third time, the transaction is begun in mid-copy, on the same connection.
 */
async function copyLive(
  db: DatabaseSync,
  target: string,
  input: Calls["copy"]["input"],
  job: Job,
): Promise<number> {
  const wal = pragma(db, "journal_mode") === "wal";
  let heldSince: number | undefined;
  let tries = 1;
  let before = Infinity;
  const hold = () => {
    db.exec("BEGIN");
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      heldSince = performance.now();
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };
  if (wal) hold();
  await copyPages(db, target, { ...input, path: input.source }, job, (remaining) => {
    if (remaining >= before) tries++;
    before = remaining;
    if (heldSince === undefined && tries > TRIES_WITHOUT_LOCK) attempt(hold);
  });
  const held = heldSince === undefined ? 0 : performance.now() - heldSince;
  if (heldSince !== undefined) db.exec("ROLLBACK");
  return wal ? 0 : held;
}

/** Tries to take the lock; a writer may be in the middle of its commit, then the next step tries again. */
function attempt(hold: () => void): void {
  try {
    hold();
  } catch {
    // Tried again at the next step, up to the limit for locks.
  }
}
