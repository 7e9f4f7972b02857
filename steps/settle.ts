/**
 * What a new backup does with an unfinished one of the same database: a dump that is done is finished first, since it is
 * a good backup that only waits for its upload; anything else is abandoned and cleaned, and a fresh dump is taken.
 */
import type { Engine } from "../engine/engine.ts";
import type { RunView } from "../engine/run.ts";
import type { VerifyJob } from "./job.ts";
import { type CairnError, toCairnError } from "../errors.ts";

/** What was done with an unfinished backup. */
export type Settled =
  | { readonly run: string; readonly outcome: "finished" | "abandoned" }
  /** It could not be settled, perhaps because its store is gone, and stays as it is. */
  | { readonly run: string; readonly outcome: "left"; readonly error: CairnError };

/**
 * Settles the unfinished backups that hold one of `locks` when they run. A run with a live owner is left alone: the new run
 * then fails with `busy` when it asks for the lock. Throws `interrupted`; other failures are told.
 */
export async function settleBackups(
  engine: Engine,
  locks: readonly string[],
  tell: (settled: Settled) => void,
): Promise<void> {
  for (const run of await engine.runs({ unfinished: true })) {
    if (run.workflow !== "backup" || !run.locks.some((lock) => locks.includes(lock)) || run.owner) continue;
    try {
      tell({ run: run.id, outcome: await settle(engine, run) });
    } catch (thrown) {
      const error = toCairnError(thrown);
      if (error.code === "interrupted") throw error;
      // What is wrong with an earlier backup must not keep the database from being backed up, perhaps to another store.
      tell({ run: run.id, outcome: "left", error });
    }
  }
}

async function settle(engine: Engine, run: RunView): Promise<"finished" | "abandoned"> {
  if (await dumpIsDone(engine, run)) {
    await engine.execute(run.id);
    return "finished";
  }
  await engine.cancel(run.id);
  return "abandoned";
}

/** True when the last take of the run has its whole dump sealed in the journal. */
async function dumpIsDone(engine: Engine, run: RunView): Promise<boolean> {
  const steps = await engine.steps(run.id);
  const done = new Set(steps.filter((step) => step.status === "done").map((step) => step.name));
  const takes = [...done].filter((name) => /^take\/\d+$/.test(name)).length;
  return done.has(`dump/${takes}`) && !done.has(`lost/${takes}`);
}

/** Cancels the unfinished verifies of the same artifact: a new one answers the question anew. */
export async function replaceVerifies(engine: Engine, { store, manifest }: VerifyJob): Promise<void> {
  for (const run of await engine.runs({ unfinished: true })) {
    if (run.workflow !== "verify" || run.owner) continue;
    const input = await engine.input(run.id);
    const isJob = typeof input === "object" && input !== null && "store" in input && "manifest" in input;
    if (isJob && input.store === store && input.manifest === manifest) await engine.cancel(run.id);
  }
}
