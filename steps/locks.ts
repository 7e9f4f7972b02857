/** The names of what only one run at a time may work on. */
import type { BackupJob, RestoreJob } from "./job.ts";

/** A backup holds its database, and its label in its store, so that two databases never race for one label. */
export function backupLocks(job: BackupJob): string[] {
  return [`database ${job.source.url}`, `label ${job.label} in ${job.store}`];
}

/** A restore holds the database it writes to. */
export function restoreLocks(job: RestoreJob): string[] {
  return [`database ${job.target.url}`];
}
