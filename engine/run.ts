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
  readonly code: ErrorCode;
  readonly message: string;
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
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  readonly label: string;
  /** The names that it holds while a process executes it. */
  readonly locks: readonly string[];
  readonly status: RunStatus;
  /** True when it is being cancelled, or was: resuming it finishes that. */
  readonly cancelRequested: boolean;
  /** How often it has been started or recovered. */
  readonly generation: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  /** When it ended, failed or was stopped last; null while it runs. */
  readonly endedAt: number | null;
  /** In the order in which they began. */
  readonly stages: readonly StageView[];
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
  readonly name: string;
  /** `interrupted`: begun, not ended, and no live process works on it. */
  readonly status: "running" | "waiting" | "interrupted" | "failed" | "done";
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** When the next try is due, or a sleep ends. */
  readonly wakeAt: number | null;
  readonly milliseconds: number;
  readonly done: number;
  readonly total: number | null;
  /** The latest error, until the step is done. */
  readonly error: RunError | null;
}

/** Something that happened to a run in this process, as it happens. */
export interface RunEvent {
  readonly run: string;
  readonly kind:
    | "run-started"
    | "step-started"
    | "progress"
    | "step-done"
    | "step-failed"
    | "waiting"
    | "note"
    | "run-ended";
  readonly step?: string;
  readonly done?: number;
  readonly total?: number;
  readonly attempt?: number;
  /** The error of a step, the text of a note, the status with which a run ended. */
  readonly message?: string;
  /** How long a step took, or how long the wait will be. */
  readonly milliseconds?: number;
}
