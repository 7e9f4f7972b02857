/** Random workflows, stopped at random moments in random ways: what was finished is never done again. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { openEngine } from "../../engine/engine.ts";
import type { Json } from "../../engine/workflow.ts";
import { retries, scratch, workflow } from "./scratch.ts";

/** One step: how often it fails in a passing way before it succeeds, and its budget. */
type Step = { readonly failures: number; readonly budget: number };
/** Groups run one after another; the steps of a group overlap. */
type Plan = readonly (readonly Step[])[];
/** How a process ends: in order, by a person, or by losing its run without a chance to write. */
type Ending = { readonly after: number; readonly how: "shutdown" | "interrupted" | "robbed" };

const step = fc.record({ failures: fc.nat(3), budget: fc.nat(3) });
const plan = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
const ending = fc.record({
  after: fc.integer({ min: 1, max: 12 }),
  how: fc.constantFrom("shutdown" as const, "interrupted" as const, "robbed" as const),
});

Deno.test("over any number of restarts every finished step ran exactly once, with the result of that once", async () => {
  await using folder = await scratch();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(plan, fc.array(ending, { maxLength: 5 }), async (plan, endings) => {
      await survive(`${folder.path}/${number++}`, plan, endings);
    }),
    { numRuns: 40 },
  );
});

async function survive(folder: string, plan: Plan, endings: readonly Ending[]): Promise<void> {
  const finished = new Map<string, string>();
  const thrown = new Map<string, number>();
  /** Called when an action ends; ends the process when its time has come. */
  let tick = () => {};

  const random = workflow(async (context, _: null) => {
    const results: string[] = [];
    for (const [group, steps] of plan.entries()) {
      results.push(
        ...await Promise.all(steps.map(({ failures, budget }, index) => {
          const name = `group${group}/${index}`;
          return context.step(name, async ({ signal }) => {
            assert(!finished.has(name), `${name} ran again`);
            await Promise.resolve();
            tick();
            signal.throwIfAborted();
            const errors = thrown.get(name) ?? 0;
            if (errors < failures) {
              thrown.set(name, errors + 1);
              throw new CairnError("unreachable", `${name} failed`);
            }
            return `${name} ${Math.random()}`;
          }, retries(budget));
        })),
      );
    }
    return results;
  });

  for (let round = 0;; round++) {
    const stop = new AbortController();
    await using engine = await openEngine({ folder, workflows: [random], signal: stop.signal });
    if (round === 0) await engine.create(random, null, { id: "r1", label: "t", locks: ["x"] });
    const end = endings[round];
    let left = end?.after ?? Infinity;
    tick = () => {
      if (--left !== 0) return;
      if (end?.how === "robbed") rob(folder);
      else stop.abort(end?.how);
    };
    try {
      const output = await engine.execute("r1");
      check(plan, output, finished);
      return;
    } catch (error) {
      assert(error instanceof CairnError);
      assert(["interrupted", "fenced", "unreachable"].includes(error.code), `${error.code} ${error.message}`);
    }
    for (const { name, status } of await engine.steps("r1")) {
      if (status === "done") finished.set(name, resultOf(folder, name));
    }
    // Each failed run has used up a budget of at least one error of a few: it ends.
    assert(round < 100);
  }
}

function check(plan: Plan, output: Json, finished: ReadonlyMap<string, string>): void {
  assert(Array.isArray(output));
  const names = plan.flatMap((steps, group) => steps.map((_, index) => `group${group}/${index}`));
  assert.deepEqual(output.map((result) => String(result).split(" ")[0]), names);
  for (const [name, result] of finished) assert.equal(output[names.indexOf(name)], JSON.parse(result));
}

function rob(folder: string): void {
  const database = new DatabaseSync(`${folder}/control.db`);
  database.exec("UPDATE run SET generation = generation + 1");
  database.close();
}

function resultOf(folder: string, name: string): string {
  const database = new DatabaseSync(`${folder}/control.db`);
  const row = database.prepare("SELECT result FROM step WHERE name = ?").get(name);
  database.close();
  return String(row?.result);
}
