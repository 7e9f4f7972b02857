/** One step: looked up in the journal, else run, with retries, until its end is journaled. */
import { CairnError, toCairnError } from "../errors.ts";
import type { Fence, Journal } from "./journal.ts";
import { DEFAULT_RETRY, pauseUntil, retryDelay } from "./retry.ts";
import { type StepRow, storedError } from "./rows.ts";
import type { RunEvent } from "./run.ts";
import type { Attempt, Json, RetryPolicy } from "./workflow.ts";

/** How often the progress of a step is written to disk. */
const PROGRESS_MILLISECONDS = 1000;

/** What the steps of one execution share. */
export interface Scope {
  readonly journal: Journal;
  readonly fence: Fence;
  /** The steps that the journal knew when this execution began. */
  readonly steps: ReadonlyMap<string, StepRow>;
  /** Aborted, always with a `CairnError`, when no step may begin any more. */
  readonly signal: AbortSignal;
  /** Ends the execution, which can no longer journal. */
  fatal(error: unknown): void;
  emit(event: Omit<RunEvent, "run">): void;
  now(): number;
  random(): number;
}

/** Runs a step, or returns its journaled result. Throws a `CairnError`: the journaled failure, or the signal's reason. */
export async function runStep<T extends Json>(
  scope: Scope,
  name: string,
  action: (attempt: Attempt) => Promise<T>,
  policy: RetryPolicy = DEFAULT_RETRY,
): Promise<T> {
  const { journal, fence, signal, emit, now } = scope;
  const known = scope.steps.get(name);
  if (known?.status === "done") return JSON.parse(known.result ?? "null");
  if (known?.status === "failed") throw storedError(known.error);

  let attempt = known?.attempts ?? 0;
  let errors = known?.errors ?? 0;
  if (known?.status === "waiting" && known.wakeAt !== null) {
    await pauseUntil(known.wakeAt, policy.maxMilliseconds, now, signal);
  }
  for (;;) {
    signal.throwIfAborted();
    attempt++;
    await journaled(scope, journal.stepStarted(fence, name));
    emit({ kind: "step-started", step: name, attempt });
    const begun = performance.now();
    const progress = progressOf(scope, name, known);
    const measured = () => ({ busy: Math.round(performance.now() - begun), ...progress.now() });
    let result: string;
    try {
      result = serialize(name, await action({ number: attempt, signal, progress: progress.report }));
    } catch (thrown) {
      progress.close();
      // What a stopped step throws says nothing about the step: it is run again as if it had been killed.
      signal.throwIfAborted();
      const error = toCairnError(thrown);
      errors++;
      const end = { ...measured(), errors, error };
      emit({ kind: "step-failed", step: name, attempt, message: error.message });
      if (!error.passing || errors > policy.retries) {
        await journaled(scope, journal.stepEnded(fence, name, { status: "failed", ...end }));
        throw error;
      }
      const delay = retryDelay(policy, errors, scope.random());
      const wakeAt = now() + delay;
      await journaled(scope, journal.stepEnded(fence, name, { status: "waiting", wakeAt, ...end }));
      emit({ kind: "waiting", step: name, milliseconds: delay, message: error.message });
      await pauseUntil(wakeAt, delay, now, signal);
      continue;
    }
    progress.close();
    const end = measured();
    // Also while the execution is being stopped: what is finished is kept.
    await journaled(scope, journal.stepEnded(fence, name, { status: "done", result, ...end }));
    emit({ kind: "step-done", step: name, attempt, milliseconds: end.busy });
    return JSON.parse(result);
  }
}

/** Sleeps until the journaled time of waking. */
export async function runSleep(scope: Scope, name: string, milliseconds: number): Promise<void> {
  const { journal, fence, signal, emit, now } = scope;
  const known = scope.steps.get(name);
  if (known?.status === "done") return;
  signal.throwIfAborted();
  const wakeAt = known?.wakeAt ?? now() + Math.round(milliseconds);
  if (known === undefined) await journaled(scope, journal.sleepStarted(fence, name, wakeAt));
  emit({ kind: "waiting", step: name, milliseconds: Math.max(0, wakeAt - now()) });
  await pauseUntil(wakeAt, milliseconds, now, signal);
  const end = { status: "done", busy: 0, progress: 0, total: null, result: "null" } as const;
  await journaled(scope, journal.stepEnded(fence, name, end));
}

/** A write that fails ends the whole execution: without a journal nothing may go on. */
async function journaled(scope: Scope, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    scope.fatal(error);
    throw error;
  }
}

function serialize(name: string, result: Json): string {
  const json: string | undefined = JSON.stringify(result);
  if (json !== undefined) return json;
  throw new CairnError("internal", `step ${name} returned something that cannot be journaled`, {
    passing: false,
  });
}

interface Progress {
  report(done: number, total?: number): void;
  now(): { progress: number; total: number | null };
  /** Reports that come later are ignored. */
  close(): void;
}

function progressOf({ journal, fence, fatal, emit }: Scope, name: string, known?: StepRow): Progress {
  let progress = 0;
  let total = known?.total ?? null;
  let written = performance.now();
  let open = true;
  return {
    report(done, newTotal) {
      if (!open) return;
      progress = Math.round(done);
      if (newTotal !== undefined) total = Math.round(newTotal);
      emit({ kind: "progress", step: name, done: progress, ...(total === null ? {} : { total }) });
      if (performance.now() - written < PROGRESS_MILLISECONDS) return;
      written = performance.now();
      try {
        journal.progress(fence, name, progress, total);
      } catch (error) {
        fatal(error);
        throw error;
      }
    },
    now: () => ({ progress, total }),
    close: () => {
      open = false;
    },
  };
}
