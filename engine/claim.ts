/** Whether, and as what, a run may be taken up. */
import { CairnError } from "../errors.ts";
import type { ClaimDecision, ClaimFacts } from "./journal.ts";
import type { RunRow } from "./rows.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** How the run is taken up. */
export interface ClaimRequest {
  /** Undefined when the code knows no workflow of that name. */
  readonly workflow: AnyWorkflow | undefined;
  /** True when no person asked for it. */
  readonly automatic: boolean;
  /** True when it is to be cancelled. */
  readonly cancel: boolean;
  /** How many automatic recoveries without a finished step are allowed. */
  readonly recoveryLimit: number;
}

/** Decides within the claim's transaction. Throws `refused` when the run has ended or waits for a person. */
export function decideClaim({ row, finished }: ClaimFacts, request: ClaimRequest): ClaimDecision {
  const { workflow, automatic } = request;
  if (row.status === "done" || row.status === "cancelled") {
    throw new CairnError("refused", `run ${row.id} is ${row.status}`);
  }
  const reason = needsPerson(row);
  if (automatic && reason !== null) {
    throw new CairnError("refused", `run ${row.id} waits for a person: ${reason}`, {
      hint: `go on with: cairn resume ${row.id}`,
    });
  }
  const cancelRequested = request.cancel || row.cancelRequested;
  const untouched = cancelRequested && row.generation === 0;
  if (workflow === undefined && !untouched) return { stuck: unknownWorkflow(row) };
  if (!cancelRequested && workflow?.version !== row.version) {
    return { stuck: otherVersion(row, workflow?.version) };
  }
  const started = row.generation > 0 && row.stoppedBy === null;
  if (!automatic || !started) return { recoveries: 0, finishedAtRecovery: finished, cancelRequested };
  const recoveries = finished > row.finishedAtRecovery ? 1 : row.recoveries + 1;
  if (recoveries > request.recoveryLimit) return { stuck: crashLoop(row, request.recoveryLimit) };
  return { recoveries, finishedAtRecovery: finished, cancelRequested };
}

/** Why a run is not resumed automatically; null when it may be. */
export function needsPerson(row: RunRow): string | null {
  if (row.status === "failed") return "it failed";
  if (row.status === "stuck") return row.error?.message ?? "it is stuck";
  if (row.stoppedBy === "person") return "a person interrupted it";
  return null;
}

function crashLoop(row: RunRow, limit: number): CairnError {
  return new CairnError("stuck", `run ${row.id} was recovered ${limit} times without finishing a step`, {
    hint: `look for what ends the process, then go on with: cairn resume ${row.id}`,
  });
}

function otherVersion(row: RunRow, version: number | undefined): CairnError {
  return new CairnError(
    "stuck",
    `run ${row.id} was begun by version ${row.version} of the ${row.workflow} workflow, this is version ${version}`,
    { hint: `finish it with the Cairn that began it, or give it up with: cairn cancel ${row.id}` },
  );
}

function unknownWorkflow(row: RunRow): CairnError {
  return new CairnError("stuck", `run ${row.id} is a ${row.workflow}, which this Cairn does not know`, {
    hint: "use the Cairn that began it",
  });
}
