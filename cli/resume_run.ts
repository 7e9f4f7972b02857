/** What `cairn resume` does. */
import type { Json } from "../engine/workflow.ts";
import { backupResult, showBackup } from "./backup_run.ts";
import { executeRun } from "./execute.ts";
import { restoreResult, showRestore } from "./restore_run.ts";
import type { Session } from "./session.ts";
import { showVerify, verifyResult } from "./verify_run.ts";
import { openWorkplace } from "./workplace.ts";

/** Resumes one run and tells its result as the command that began it would have. */
export async function resume(
  session: Session,
  reference: string,
  options: { readonly takeOver?: true },
): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { output } = session;
  const run = await workplace.engine.find(reference);
  output.line(`resuming ${run.id} · ${run.label}`);
  const started = performance.now();
  const result = await executeRun(session, workplace, run.id, options);
  showResult(session, run.workflow, run.id, result, performance.now() - started);
}

function showResult(
  session: Session,
  workflow: string,
  run: string,
  result: Json,
  milliseconds: number,
): void {
  if (workflow === "backup") showBackup(session, run, backupResult(result), milliseconds);
  else if (workflow === "restore") showRestore(session, run, restoreResult(result), milliseconds);
  else if (workflow === "verify") showVerify(session, run, verifyResult(result), milliseconds);
}
