/** The online backup API (https://sqlite.org/backup.html), with limits. For the child process only. */
import { backup, type DatabaseSync } from "node:sqlite";
import type { Job } from "./job.ts";
import type { Waits } from "./messages.ts";
import { pragma } from "./open.ts";
import { fromSqlite } from "./sqlite_errors.ts";

/** Pages that are copied at a time; between the steps a source without a transaction is free for its writers. */
const PAGES_PER_STEP = 256;

/**
 * Copies all pages of `db` into the database `target`; `onStep` learns how many pages are left.
 *
 * `backup` of Deno 2.7 waits for locks in native code, without an end and without a call of the progress function, so
 * that the main process keeps the limit. The last step is not limited: it syncs the target, which may take its time.
 */
export async function copyPages(
  db: DatabaseSync,
  target: string,
  waits: Waits,
  job: Job,
  onStep: (remainingPages: number) => void = () => {},
): Promise<void> {
  const pageBytes = Number(pragma(db, "page_size"));
  job.limitWaits(waits);
  try {
    await backup(db, target, {
      rate: PAGES_PER_STEP,
      // An error thrown in here would be a panic of the runtime.
      progress: ({ totalPages, remainingPages }) => {
        job.progress((totalPages - remainingPages) * pageBytes, totalPages * pageBytes);
        job.limitWaits(remainingPages > PAGES_PER_STEP ? waits : null);
        onStep(remainingPages);
      },
    });
  } catch (error) {
    throw fromSqlite(error, waits.path) ?? error;
  } finally {
    job.limitWaits(null);
  }
}
