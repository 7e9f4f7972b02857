/** Runs a run to its end in this process, and shows it. */
import type { Json } from "../engine/workflow.ts";
import { showRun } from "./run_progress.ts";
import type { Session } from "./session.ts";
import type { Workplace } from "./workplace.ts";

/** How a run is executed. */
export interface ExecuteOptions {
  readonly takeOver?: boolean | undefined;
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
    session.ownRun(run, (await engine.find(run)).resumable);
    throw error;
  }
}
