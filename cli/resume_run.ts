/** What `cairn resume` does. */
import type { Json } from "../engine/workflow.ts";
import { executeRun } from "./execute.ts";
import type { Session } from "./session.ts";
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
  await showResult(session, run.workflow, run.id, result, performance.now() - started);
}

/** Only now is loaded what a run does when it is new, so that it goes on sooner. */
async function showResult(
  session: Session,
  workflow: string,
  run: string,
  result: Json,
  milliseconds: number,
): Promise<void> {
  if (workflow === "backup") {
    const { backupResult, showBackup } = await import("./backup_run.ts");
    showBackup(session, run, backupResult(result), milliseconds);
  } else if (workflow === "restore") {
    const { restoreResult, showRestore } = await import("./restore_run.ts");
    showRestore(session, run, restoreResult(result), milliseconds);
  } else if (workflow === "verify") {
    const { showVerify, verifyResult } = await import("./verify_run.ts");
    showVerify(session, run, verifyResult(result), milliseconds);
  }
}
