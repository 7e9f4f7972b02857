/** Runs a run to its end in this process, and shows it. */
import type { Engine } from "../engine/engine.ts";
import type { Json } from "../engine/workflow.ts";
import { CairnError } from "../errors.ts";
import { showRun } from "./run_progress.ts";
import type { Session } from "./session.ts";
import type { Workplace } from "./workplace.ts";

/** How a run is executed. */
export interface ExecuteOptions {
  readonly takeOver?: boolean | undefined;
  /** True when the command has just made the run, so that nobody misses it when it could not begin. */
  readonly isNew?: boolean | undefined;
}

/**
 * Executes a run, showing its stages. The run is announced before any work starts, so that whatever happens its id is
 * known. Returns the run's output; throws its failure, which then names the run and whether it can be resumed.
 */
export async function executeRun(
  session: Session,
  { engine }: Workplace,
  run: string,
  options: ExecuteOptions = {},
): Promise<Json> {
  const { output } = session;
  session.ownRun(run, true);
  output.json({ run, status: "running" });
  const log = await session.log();
  log.info(`run ${run} started`);
  const show = showRun(output, await engine.steps(run));
  try {
    const result = await engine.execute(run, {
      takeOver: options.takeOver ?? false,
      onEvent(event) {
        show.event(event);
        if (event.kind === "step-failed" || event.kind === "note" || event.kind === "run-ended") {
          log.info(`run ${run}: ${event.kind} ${event.step ?? ""} ${event.message ?? ""}`.trimEnd());
        }
      },
    });
    show.finish();
    session.ownRun(undefined);
    return result;
  } catch (error) {
    session.ownRun(run, await isWorthResuming(engine, run, error, options.isNew));
    throw error;
  }
}

/** Stages that only look, or make what a new run makes afresh: one that got no further has done nothing to go on from. */
const PREPARING = /^(encrypt|snapshot|take|locate|key|preflight|download)(\/|$)/;

/**
 * Tells whether a failed run is kept for `cairn resume`. One that was refused before it did anything is cancelled at once, so
 * that a wrong path, a missing key or a database that is in use leaves nothing behind.
 */
async function isWorthResuming(engine: Engine, run: string, error: unknown, isNew = false): Promise<boolean> {
  const { status, resumable, workflow } = await engine.find(run);
  // A damaged artifact stays in sight until a verify finds it whole or a person cancels the run.
  if (workflow === "verify" && error instanceof CairnError && error.code === "verification") return resumable;
  if (!(error instanceof CairnError) || error.passing) return resumable;
  const neverBegan = isNew && status === "queued" && error.code === "busy";
  if (!neverBegan) {
    if (status !== "failed") return resumable;
    const steps = await engine.steps(run);
    if (steps.some((step) => step.status === "done" && !PREPARING.test(step.name))) return resumable;
  }
  // What fails now must not hide why the run failed.
  return await engine.cancel(run).then(() => false, () => resumable);
}
