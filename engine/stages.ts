/** Steps added up by stage: what stays of them when a run ends. */
import { CairnError } from "../errors.ts";
import type { StepRow } from "./rows.ts";
import type { StageView } from "./run.ts";

/** Adds up steps, given in the order in which they began. */
export function stagesOf(
  steps: readonly Pick<StepRow, "name" | "status" | "attempts" | "busy" | "progress" | "total">[],
): StageView[] {
  const stages = new Map<string, StageView>();
  for (const step of steps) {
    const [stage = step.name] = step.name.split("/", 1);
    const sum = stages.get(stage) ??
      { stage, steps: 0, finished: 0, done: 0, total: 0, milliseconds: 0, retries: 0 };
    stages.set(stage, {
      stage,
      steps: sum.steps + 1,
      finished: sum.finished + (step.status === "done" ? 1 : 0),
      done: sum.done + step.progress,
      total: sum.total === null || step.total === null ? null : sum.total + step.total,
      milliseconds: sum.milliseconds + step.busy,
      retries: sum.retries + Math.max(0, step.attempts - 1),
    });
  }
  return [...stages.values()];
}

/** Reads the stages of a run that ended. */
export function parseStages(json: string): StageView[] {
  const stages: unknown = JSON.parse(json);
  if (Array.isArray(stages) && stages.every(isStage)) return stages;
  throw new CairnError("state_damaged", "the control database holds an unreadable summary of a run");
}

function isStage(value: unknown): value is StageView {
  if (typeof value !== "object" || value === null || !("stage" in value)) return false;
  const numbers: Record<string, unknown> = { ...value };
  return typeof value.stage === "string" && (numbers.total === null || typeof numbers.total === "number") &&
    ["steps", "finished", "done", "milliseconds", "retries"].every((key) => typeof numbers[key] === "number");
}
