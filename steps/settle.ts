/**
 * What a new backup does with an unfinished one of the same database: a dump that is done is finished first, since it is
 * a good backup that only waits for its upload; anything else is abandoned and cleaned, and a fresh dump is taken.
 */
import type { Engine } from "../engine/engine.ts";
import type { RunView } from "../engine/run.ts";

/** What was done with an unfinished backup. */
export interface Settled {
  readonly run: string;
  readonly outcome: "finished" | "abandoned";
}

/**
 * Settles the unfinished backups that hold one of `locks` when they run. A run with a live owner is left alone: the new run
 * then fails with `busy` when it asks for the lock.
 */
export async function settleBackups(
  engine: Engine,
  locks: readonly string[],
  tell: (settled: Settled) => void,
): Promise<void> {
  for (const run of await engine.runs({ unfinished: true })) {
    if (run.workflow !== "backup" || !run.locks.some((lock) => locks.includes(lock)) || run.owner) continue;
    if (await dumpIsDone(engine, run)) {
      await engine.execute(run.id);
      tell({ run: run.id, outcome: "finished" });
    } else {
      await engine.cancel(run.id);
      tell({ run: run.id, outcome: "abandoned" });
    }
  }
}

/** True when the last take of the run has its whole dump sealed in the journal. */
async function dumpIsDone(engine: Engine, run: RunView): Promise<boolean> {
  const steps = await engine.steps(run.id);
  const done = new Set(steps.filter((step) => step.status === "done").map((step) => step.name));
  const takes = [...done].filter((name) => /^take\/\d+$/.test(name)).length;
  return done.has(`dump/${takes}`) && !done.has(`lost/${takes}`);
}
