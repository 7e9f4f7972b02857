/** SIGKILL at every named crash point of every workflow; then a new process goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Description } from "./driver.ts";
import { each } from "./many.ts";
import { makeTemplate, openPlace, SMALL, type Template } from "./place.ts";
import { describe, drive, run, runWell } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest, FULL } from "./settings.ts";

/** The quick suite leaves out what passes the same points as another. */
const ALIKE: readonly Scenario[] = [scenarios.backup, scenarios.encryptedRestore, scenarios.restoreOverWal];
const tested = Object.values(scenarios).filter((scenario) => FULL || !ALIKE.includes(scenario));

for (const scenario of tested) {
  crashTest(`${scenario.name}: killed at each crash point, it goes on`, async () => {
    await using template = await makeTemplate(SMALL);
    const points = await pointsOf(scenario, template);
    assert.ok(points.length >= 8, `only ${points.length} points`);
    await each(points, (point) => `${scenario.name}, ${point}`, async (point) => {
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      const killed = await run(drive(description, { CAIRN_CRASH_AT: point }), place.folder);
      assert.equal(killed.signal, "SIGKILL", `it was not killed: ${describe(killed)}`);
      await goOn(place.folder, description);
      await scenario.check(place, template);
    });
  });
}

/** The names of the points that an undisturbed run passes; those of progress depend on time. */
async function pointsOf(scenario: Scenario, template: Template): Promise<string[]> {
  await using place = await openPlace();
  const trace = join(place.folder, "trace");
  const description = await scenario.lay(place, template);
  await runWell(drive(description, { CAIRN_CRASH_TRACE: trace }), place.folder);
  await scenario.check(place, template);
  const names = (await Deno.readTextFile(trace)).trimEnd().split("\n");
  return [...new Set(names)].filter((name) => !/^(before|after) progress /.test(name));
}

async function goOn(folder: string, description: Description): Promise<void> {
  const ended = await run(drive(description), folder);
  assert.equal(ended.code, 0, `it did not go on: ${describe(ended)}`);
}
