/**
 * What a workflow is: an ordinary async function whose side effects are named, journaled steps.
 *
 * These are the types that workflows are written against; they say nothing of the engine that runs them.
 */

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** When and how often a failed step is tried again. Delays grow exponentially, with full jitter. */
export interface RetryPolicy {
  /** How many thrown errors are allowed before the step fails for good; 0 never retries. */
  readonly retries: number;
  /** The first upper bound of the delay. */
  readonly firstMilliseconds: number;
  /** The largest upper bound of the delay. */
  readonly maxMilliseconds: number;
}

/** A step whose caller tries again itself, or whose failure is final. */
export const NO_RETRY: RetryPolicy = { retries: 0, firstMilliseconds: 0, maxMilliseconds: 0 };

/** One try of a step. */
export interface Attempt {
  /** 1 for the first try, counted over restarts. */
  readonly number: number;
  /** Aborted when the run is cancelled, taken over, or the process shuts down. */
  readonly signal: AbortSignal;
  /** Reports how far the step is, in bytes or any unit of its own; cheap enough to call for each block. */
  progress(done: number, total?: number): void;
}

/** What a workflow may do to the outside world. */
export interface Context {
  /** The id of the run; the same after every restart. */
  readonly id: string;
  /** How often the run has been started or recovered, from 1; for steps that every recovery must repeat. */
  readonly generation: number;
  /** Aborted when the run is cancelled, taken over, or the process shuts down. */
  readonly signal: AbortSignal;
  /**
   * Runs `action` once and journals its result; after a restart the journaled result is returned instead.
   * The name is the key: unique in a run. Steps may overlap. A step that was cut off is run again, so an action
   * must be safe to repeat. Throws what the action threw once its retries are used up.
   */
  step<T extends Json>(
    name: string,
    action: (attempt: Attempt) => Promise<T>,
    policy?: RetryPolicy,
  ): Promise<T>;
  /** Waits, across restarts: the time of waking is journaled. */
  sleep(name: string, milliseconds: number): Promise<void>;
  /** Tells whoever watches the run something worth a line; not journaled, may repeat after a restart. */
  note(message: string): void;
}

/** A durable piece of work. */
export interface Workflow<I extends Json, O extends Json> {
  /** For example `backup`; the first part of a run's id. */
  readonly name: string;
  /** Counts changes of the step list, so that a run is never continued by code that does not know its steps. */
  readonly version: number;
  /** Does the work. Must be deterministic apart from its steps. */
  run(context: Context, input: I): Promise<O>;
  /**
   * Removes what an unfinished run left outside the journal: called on cancel and abandon, in a journaled
   * context of its own, repeated until it succeeds. Needs only the id and the input of the run.
   */
  clean(context: Context, input: I): Promise<void>;
}

/**
 * A workflow whatever it takes and returns: how a registry holds different ones. Inputs are checked where a run is
 * created, against the workflow itself, and come back from the journal as they were.
 */
export type AnyWorkflow = Workflow<Json, Json>;
