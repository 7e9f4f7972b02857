/** What can be seen of runs and their steps, from outside. */
import type { ErrorCode } from "../errors.ts";

/**
 * What a run is doing. All but `done` and `cancelled` are unfinished: they can be resumed or cancelled.
 * - `queued`: created, never started
 * - `running`: a live process works on a step
 * - `waiting`: a live process waits, for a retry or in a sleep
 * - `interrupted`: it was started, has not ended, and no live process works on it
 * - `stuck`: it was recovered too often without getting on, or the code does not know its steps
 * - `failed`: a step failed for good; finished steps are kept
 */
export type RunStatus =
  | "queued"
  | "running"
  | "waiting"
  | "interrupted"
  | "stuck"
  | "failed"
  | "done"
  | "cancelled";

/** Why a run or a step failed. */
export interface RunError {
  /** What kind of error it was. */
  readonly code: ErrorCode;
  /** What was wrong. */
  readonly message: string;
  /** What to do. */
  readonly hint: string | null;
}

/** The steps of a run whose names begin with the same word, added up. */
export type StageView = {
  /** The part of the step names before the first `/`. */
  readonly stage: string;
  /** Steps begun. */
  readonly steps: number;
  /** Steps done. */
  readonly finished: number;
  /** The sum of what the steps reported as progress, in their own unit. */
  readonly done: number;
  /** The sum of the totals that the steps reported; null when one of them has none. */
  readonly total: number | null;
  /** Time spent in steps, in milliseconds; overlapping steps each count. */
  readonly milliseconds: number;
  /** Tries after the first, for errors and after crashes. */
  readonly retries: number;
};

/** A run. Times are milliseconds since 1970. */
export interface RunView {
  /** Unique for all time. */
  readonly id: string;
  /** The name of its workflow. */
  readonly workflow: string;
  /** The version of its workflow that began it. */
  readonly version: number;
  /** What it is about. */
  readonly label: string;
  /** The names that it holds while a process executes it. */
  readonly locks: readonly string[];
  /** What it is doing. */
  readonly status: RunStatus;
  /** True when it is being cancelled, or was: resuming it finishes that. */
  readonly cancelRequested: boolean;
  /** How often it has been started or recovered. */
  readonly generation: number;
  /** When it was journaled as queued. */
  readonly createdAt: number;
  /** When it was first executed; null while it is queued. */
  readonly startedAt: number | null;
  /** When it ended, failed or was stopped last; null while it runs. */
  readonly endedAt: number | null;
  /** In the order in which they began. */
  readonly stages: readonly StageView[];
  /** Why it failed last; null when it did not. */
  readonly error: RunError | null;
  /** The live process that executes it. */
  readonly owner: { readonly pid: number } | null;
  /** True when `execute` can go on with it now; false for one being cancelled, which `cancel` can go on with. */
  readonly resumable: boolean;
  /** Why it is not resumed automatically; null when it may be. */
  readonly needsPerson: string | null;
}

/** A step of an unfinished run; when a run ends only its stages are kept. */
export interface StepView {
  /** Unique in its run. */
  readonly name: string;
  /** `interrupted`: begun, not ended, and no live process works on it. */
  readonly status: "running" | "waiting" | "interrupted" | "failed" | "done";
  /** How often its action was called. */
  readonly attempts: number;
  /** When it was first begun. */
  readonly startedAt: number;
  /** When it ended or failed last; null while it runs. */
  readonly endedAt: number | null;
  /** When the next try is due, or a sleep ends. */
  readonly wakeAt: number | null;
  /** Time spent in it. */
  readonly milliseconds: number;
  /** What it reported as progress, in its own unit. */
  readonly done: number;
  /** What it said the whole is. */
  readonly total: number | null;
  /** The latest error, until the step is done. */
  readonly error: RunError | null;
}

/** Something that happened to a run in this process, as it happens. */
export interface RunEvent {
  /** The id of the run. */
  readonly run: string;
  /** What happened. */
  readonly kind:
    | "run-started"
    | "step-started"
    | "progress"
    | "step-done"
    | "step-failed"
    | "waiting"
    | "note"
    | "run-ended";
  /** The name of the step that it happened to. */
  readonly step?: string;
  /** Of `progress`, in the unit of the step. */
  readonly done?: number;
  /** Of `progress`, where the step knows it. */
  readonly total?: number;
  /** Of `step-started` and `step-failed`: which try it is. */
  readonly attempt?: number;
  /** The error of a step that failed or waits for its next try, the text of a note, the status with which a run ended. */
  readonly message?: string;
  /** How long a step took, or how long the wait will be. */
  readonly milliseconds?: number;
}

/** Which runs to list. */
export interface RunFilter {
  /** Only those of this label. */
  readonly label?: string;
  /** Only runs that can be resumed or cancelled, or are running. */
  readonly unfinished?: boolean;
  /** At most so many. */
  readonly limit?: number;
}
