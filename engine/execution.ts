/** One execution of a workflow's function: the context it is given, and how the function comes to its end. */
import { CairnError, toCairnError } from "../errors.ts";
import { pause } from "./retry.ts";
import { runSleep, runStep, type Scope } from "./step.ts";
import type { Context, Json } from "./workflow.ts";

/** How an execution ended. */
export type Outcome =
  | { readonly kind: "returned"; readonly output: Json }
  | { readonly kind: "threw"; readonly error: CairnError }
  /** It was stopped: what it returned or threw means nothing. */
  | { readonly kind: "stopped" }
  /**
   * It was stopped, or failed by itself (`failure`), but a step ignores that; `settled` resolves when everything
   * has ended after all.
   */
  | { readonly kind: "hung"; readonly failure: CairnError | null; readonly settled: Promise<void> };

/** What an execution is made of. */
export interface Execution {
  readonly scope: Omit<Scope, "signal">;
  /** Stops the execution: aborts all its steps. */
  readonly controller: AbortController;
  /** Stands before each step name. */
  readonly prefix: string;
  /** How long a stopped execution may take to end. */
  readonly graceMilliseconds: number;
  readonly work: (context: Context) => Promise<Json | void>;
}

/** Stands before the names of the steps of `clean`. */
export const CLEAN = "clean/";

type Settled = { readonly output: Json } | { readonly error: CairnError };

/** Runs the work to its end, which is when its function and each of its steps have ended. Never throws. */
export async function runExecution(execution: Execution): Promise<Outcome> {
  const { controller, graceMilliseconds } = execution;
  const { signal } = controller;
  const { context, open, seal, cut } = createContext(execution);
  let failure: CairnError | null = null;
  const everything = settle(() => execution.work(context)).then(async (settled): Promise<Outcome> => {
    const forgotten = open.size > 0;
    const stopped = signal.aborted && ("error" in settled || forgotten || cut());
    if ("error" in settled) failure = settled.error;
    else if (forgotten) failure = forgottenSteps(context.id);
    if (stopped) failure = null;
    if (forgotten) {
      // Either a step failed beside these, or the workflow forgot them: they may not outlive it.
      controller.abort(new CairnError("interrupted", `another step of run ${context.id} failed`));
      while (open.size > 0) await Promise.allSettled(open);
    }
    if (stopped) return { kind: "stopped" };
    if (failure !== null) return { kind: "threw", error: failure };
    return "output" in settled ? { kind: "returned", output: settled.output } : { kind: "stopped" };
  });
  const grace = new AbortController();
  const outcome = await Promise.race([everything, afterAbort(signal, graceMilliseconds, grace.signal)]);
  grace.abort();
  seal();
  return outcome ?? { kind: "hung", failure, settled: everything.then(() => undefined) };
}

function forgottenSteps(run: string): CairnError {
  return new CairnError("internal", `run ${run} returned while steps were running`, { passing: false });
}

interface OpenContext {
  readonly context: Context;
  /** Steps that have begun and not ended. */
  readonly open: Set<Promise<unknown>>;
  /** From now on no step can begin. */
  seal(): void;
  /** True when a step was kept from its end by the stop. */
  cut(): boolean;
}

function createContext({ scope: partial, controller, prefix }: Execution): OpenContext {
  const { signal } = controller;
  const { run: id, generation } = partial.fence;
  const scope: Scope = { ...partial, signal };
  const names = new Set<string>();
  const open = new Set<Promise<unknown>>();
  let sealed = false;
  let cut = false;

  const begin = async <T>(name: string, body: (name: string) => Promise<T>): Promise<T> => {
    if (sealed) throw new CairnError("internal", `step ${name} of run ${id} began after the run's end`);
    if (names.has(name)) {
      throw new CairnError("internal", `run ${id} has two steps named ${name}`, { passing: false });
    }
    if (prefix === "" && name.startsWith(CLEAN)) {
      throw new CairnError("internal", `step names that begin with ${CLEAN} are for cleaning`, {
        passing: false,
      });
    }
    names.add(name);
    const step = body(prefix + name);
    open.add(step);
    try {
      return await step;
    } catch (error) {
      if (signal.aborted && error === signal.reason) cut = true;
      throw error;
    } finally {
      open.delete(step);
    }
  };
  /** A workflow that ends by one error may never look at its other steps: that must not end the process. */
  const observed = <T>(promise: Promise<T>): Promise<T> => {
    promise.catch(() => {});
    return promise;
  };
  const context: Context = {
    id,
    generation,
    signal,
    step: (name, action, policy) =>
      observed(begin(name, (journaled) => runStep(scope, journaled, action, policy))),
    sleep: (name, milliseconds) =>
      observed(begin(name, (journaled) => runSleep(scope, journaled, milliseconds))),
    note: (message) => scope.emit({ kind: "note", message }),
  };
  return {
    context,
    open,
    cut: () => cut,
    seal: () => {
      sealed = true;
    },
  };
}

async function settle(work: () => Promise<Json | void>): Promise<Settled> {
  try {
    return { output: await work() ?? null };
  } catch (error) {
    return { error: toCairnError(error) };
  }
}

/** Null, some time after the abort; never, when `done` comes first. */
async function afterAbort(signal: AbortSignal, milliseconds: number, done: AbortSignal): Promise<null> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true, signal: done }));
  }
  await pause(milliseconds, done).catch(() => {});
  return null;
}
