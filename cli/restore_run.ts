/** What `cairn restore` does. */
import { CairnError } from "../errors.ts";
import { makeId } from "../steps/artifact.ts";
import { findIn } from "../steps/find_in.ts";
import type { RestoreJob } from "../steps/job.ts";
import { restoreLocks } from "../steps/locks.ts";
import type { RestoreResult } from "../steps/restore/restore.ts";
import { chooseTarget, storesToRead } from "./choose.ts";
import { executeRun } from "./execute.ts";
import { formatBytes, formatCount, formatDuration } from "./format.ts";
import { chooseKeys, type KeyOptions } from "./keys.ts";
import type { Session } from "./session.ts";
import { openWorkplace } from "./workplace.ts";

/** The options of the command. */
export interface RestoreOptions extends KeyOptions {
  readonly into: string;
  readonly overwrite?: true;
  /** False for `--no-owner`. */
  readonly owner: boolean;
  readonly tables?: readonly string[];
  readonly from?: string;
}

/** Restores one artifact. */
export async function restore(session: Session, artifact: string, options: RestoreOptions): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { config, environment, engine, workflows } = workplace;
  const found = await findIn(environment, artifact, await storesToRead(config, options.from, session.home));
  const job: RestoreJob = {
    store: found.store,
    manifest: found.manifest,
    target: await chooseTarget(config, options.into, session.output),
    overwrite: options.overwrite ?? false,
    withoutOwners: !options.owner,
    selection: { tables: options.tables ?? [], excludeTables: [] },
    ...await chooseKeys(session, options),
  };
  const run = `restore-${makeId(Date.now())}`;
  await engine.create(workflows.restore, job, {
    id: run,
    label: found.label,
    locks: restoreLocks(job),
    reserve: true,
  });
  session.output.line(`restore ${found.id} · ${found.label} → ${job.target.url}`);
  const started = performance.now();
  const result = restoreResult(await executeRun(session, workplace, run, { isNew: true }));
  showRestore(session, run, result, performance.now() - started);
}

/** Tells what a finished restore did; also for a resumed one. */
export function showRestore(
  session: Session,
  run: string,
  result: RestoreResult,
  milliseconds: number,
): void {
  const { output } = session;
  output.line(
    `done in ${formatDuration(milliseconds)}: ${result.target}, ${formatCount(result.tables, "table")}, ` +
      `${formatBytes(result.sizeBytes)}, every checksum right`,
  );
  const { id, label, target, sizeBytes, tables } = result;
  output.json({ run, status: "done", restored: { id, label, target, sizeBytes, tables } });
}

/** The journaled result of a restore run. */
export function restoreResult(value: unknown): RestoreResult {
  if (isRestoreResult(value)) return value;
  throw new CairnError("state_damaged", "the journal has no result for this restore");
}

function isRestoreResult(value: unknown): value is RestoreResult {
  return typeof value === "object" && value !== null && "target" in value && "tables" in value;
}
