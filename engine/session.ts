/** A run in the hands of this process: from its lock to its release. */
import { CairnError, toCairnError } from "../errors.ts";
import { decideClaim } from "./claim.ts";
import { CLEAN, type Outcome, runExecution } from "./execution.ts";
import type { Fence, Journal } from "./journal.ts";
import type { HeldLock } from "./lock_file.ts";
import type { Locks } from "./ownership.ts";
import type { RunEvent } from "./run.ts";
import type { AnyWorkflow, Json } from "./workflow.ts";

/** How often the owner of a run looks whether somebody asked to cancel it. */
const POLL_MILLISECONDS = 500;

/** What sessions of one engine share. */
export interface SessionParts {
  readonly journal: Journal;
  readonly locks: Locks;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  /** Aborted when this process is to stop; {@linkcode stoppedBy} tells who wants it. */
  readonly signal: AbortSignal;
  readonly graceMilliseconds: number;
  readonly recoveryLimit: number;
  now(): number;
  random(): number;
}

/** What is wanted of a run. */
export interface SessionRequest {
  readonly run: string;
  readonly automatic: boolean;
  readonly cancel: boolean;
  /** Aborted when somebody in this process asks to cancel the run. */
  readonly cancelled: AbortSignal;
  onEvent(event: RunEvent): void;
}

/** How a run has ended. */
export type Ended =
  | { readonly status: "done"; readonly output: Json }
  | { readonly status: "cancelled"; readonly now: boolean };

/**
 * Brings the run to its end under `lock`, which it releases. Throws what made it stop before: the run's failure,
 * `interrupted`, `stuck`, `refused`, `busy`, `fenced`.
 */
export async function runSession(
  parts: SessionParts,
  request: SessionRequest,
  lock: HeldLock,
): Promise<Ended> {
  const held = [lock];
  const release = async () => {
    for (const one of held.splice(0).reverse()) await one.release();
  };
  let hung: Promise<void> | undefined;
  try {
    const { journal, locks } = parts;
    const row = await journal.row(request.run);
    if (row?.status === "done") return { status: "done", output: JSON.parse(await journal.output(row.id)) };
    if (row?.status === "cancelled") return { status: "cancelled", now: false };
    // What never started needs no locks to be cancelled: nothing is there to clean.
    const untouched = row?.generation === 0 && (request.cancel || row.cancelRequested);
    if (row !== null && !untouched) held.push(await locks.names(row.locks, row.id));

    const workflow = row === null ? undefined : parts.workflows.get(row.workflow);
    const { recoveryLimit } = parts;
    const fence = await journal.claim(
      request.run,
      (facts) => decideClaim(facts, { ...request, workflow, recoveryLimit }),
    );
    if (untouched || workflow === undefined) {
      await journal.finish(fence, "cancelled", null);
      return { status: "cancelled", now: true };
    }
    const session = openSession(parts, request, fence, workflow);
    try {
      return await session.toEnd();
    } finally {
      session.close();
      hung = session.hung();
    }
  } finally {
    // A step that ignores its abort may still write: the run stays locked until it ends, with this process at last.
    if (hung === undefined) await release();
    else hung.then(release).catch(() => {});
  }
}

/** Who asked the process to stop: a person's run is left to the person, a shutdown's may be resumed by itself. */
export function stoppedBy(signal: AbortSignal): "person" | "shutdown" {
  const { reason } = signal;
  const person = reason === "interrupted" || (reason instanceof CairnError && reason.code === "interrupted");
  return person ? "person" : "shutdown";
}

interface Session {
  toEnd(): Promise<Ended>;
  hung(): Promise<void> | undefined;
  close(): void;
}

function openSession(
  parts: SessionParts,
  request: SessionRequest,
  fence: Fence,
  workflow: AnyWorkflow,
): Session {
  const { journal } = parts;
  const { run } = fence;
  let controller = new AbortController();
  let cancelled = false;
  let fatal: CairnError | undefined;
  let hung: Promise<void> | undefined;

  const emit = (event: Omit<RunEvent, "run">) => request.onEvent({ run, ...event });
  const fail = (error: unknown) => {
    fatal ??= toCairnError(error);
    controller.abort(fatal);
  };
  const cancel = () => {
    if (cancelled) return;
    cancelled = true;
    controller.abort(new CairnError("interrupted", `run ${run} was cancelled`));
  };
  const interrupt = () => controller.abort(interrupted(run));
  const poll = async () => {
    try {
      if (await journal.cancelRequested(fence)) cancel();
    } catch (error) {
      if (!(error instanceof CairnError && error.code === "busy")) fail(error);
    }
  };
  const timer = setInterval(poll, POLL_MILLISECONDS);
  parts.signal.addEventListener("abort", interrupt);
  request.cancelled.addEventListener("abort", cancel);

  const executed = async (phase: "run" | "clean"): Promise<Outcome> => {
    controller = new AbortController();
    if (parts.signal.aborted) interrupt();
    const input: Json = JSON.parse(await journal.input(run));
    const known = await journal.steps(run);
    const outcome = await runExecution({
      scope: {
        journal,
        fence,
        steps: new Map(known.map((step) => [step.name, step])),
        fatal: fail,
        emit,
        now: parts.now,
        random: parts.random,
      },
      controller,
      prefix: phase === "clean" ? CLEAN : "",
      graceMilliseconds: parts.graceMilliseconds,
      work: (context) => workflow[phase](context, input),
    });
    if (outcome.kind === "hung") hung = outcome.settled;
    if (fatal !== undefined) throw fatal;
    return outcome;
  };

  /** Writes why the run stops here, and returns what to throw. */
  const stopped = async (outcome: Outcome): Promise<CairnError> => {
    const error = outcome.kind === "threw" ? outcome.error : outcome.kind === "hung" ? outcome.failure : null;
    if (error !== null) {
      await journal.stop(fence, { status: "failed", error });
      emit({ kind: "run-ended", message: "failed" });
      return error;
    }
    await journal.stop(fence, { status: "interrupted", stoppedBy: stoppedBy(parts.signal) });
    emit({ kind: "run-ended", message: "interrupted" });
    return interrupted(run);
  };

  const clean = async (): Promise<Ended> => {
    const outcome = await executed("clean");
    if (outcome.kind !== "returned") throw await stopped(outcome);
    await journal.finish(fence, "cancelled", null);
    emit({ kind: "run-ended", message: "cancelled" });
    return { status: "cancelled", now: true };
  };

  return {
    async toEnd() {
      emit({ kind: "run-started", attempt: fence.generation });
      if (await journal.cancelRequested(fence)) {
        cancelled = true;
        return clean();
      }
      const outcome = await executed("run");
      if (outcome.kind === "returned") {
        await journal.finish(fence, "done", JSON.stringify(outcome.output));
        emit({ kind: "run-ended", message: "done" });
        return { status: "done", output: outcome.output };
      }
      const asked = cancelled || await journal.cancelRequested(fence);
      if (!asked || (outcome.kind === "stopped" && parts.signal.aborted)) throw await stopped(outcome);
      if (outcome.kind === "hung") throw ignoresCancel(run);
      cancelled = true;
      return clean();
    },
    hung: () => hung,
    close() {
      clearInterval(timer);
      parts.signal.removeEventListener("abort", interrupt);
      request.cancelled.removeEventListener("abort", cancel);
    },
  };
}

function interrupted(run: string): CairnError {
  return new CairnError("interrupted", `run ${run} was interrupted`, {
    hint: `go on with: cairn resume ${run}`,
  });
}

function ignoresCancel(run: string): CairnError {
  return new CairnError("busy", `a step of run ${run} does not stop, so the run could not be cleaned`, {
    hint: `when its process has ended: cairn cancel ${run}`,
  });
}
