import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { parseStages, stagesOf } from "../../engine/stages.ts";

const step = fc.record({
  name: fc.constantFrom("dump/1", "dump/1/2", "upload/1", "snapshot", "clean/remove"),
  status: fc.constantFrom("running" as const, "waiting" as const, "failed" as const, "done" as const),
  attempts: fc.integer({ min: 1, max: 5 }),
  busy: fc.nat(1000),
  progress: fc.nat(1000),
  total: fc.option(fc.nat(1000)),
});

Deno.test("stages lose nothing of their steps, and survive being stored", () => {
  fc.assert(fc.property(fc.array(step), (steps) => {
    const stages = stagesOf(steps);
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    assert.equal(sum(stages.map((s) => s.steps)), steps.length);
    assert.equal(sum(stages.map((s) => s.finished)), steps.filter((s) => s.status === "done").length);
    assert.equal(sum(stages.map((s) => s.done)), sum(steps.map((s) => s.progress)));
    assert.equal(sum(stages.map((s) => s.milliseconds)), sum(steps.map((s) => s.busy)));
    assert.equal(sum(stages.map((s) => s.retries)), sum(steps.map((s) => s.attempts - 1)));
    const order = [...new Set(steps.map((s) => s.name.split("/")[0]))];
    assert.deepEqual(stages.map((s) => s.stage), order);
    assert.deepEqual(parseStages(JSON.stringify(stages)), stages);
  }));
});

Deno.test("an unreadable summary is reported as damage", () => {
  for (const json of ["{}", "[1]", '[{"stage":"dump"}]', "null"]) {
    assert.throws(
      () => parseStages(json),
      (error) => error instanceof CairnError && error.code === "state_damaged",
    );
  }
});
