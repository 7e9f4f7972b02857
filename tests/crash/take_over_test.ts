/** A process that owns a run hangs: another one takes the run over, and nothing of the first is written any more. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { JsonRule } from "./driver.ts";
import { pathsIn } from "./invariants.ts";
import { makeTemplate, openPlace, type Place, SMALL } from "./place.ts";
import { describe, drive, run, runWell, start, until } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest } from "./settings.ts";

const cases: readonly { readonly scenario: Scenario; readonly hangsAt: JsonRule }[] = [
  {
    scenario: scenarios.encryptedBackup,
    hangsAt: { call: "put", key: "000002", nth: 1, fault: { kind: "delay" } },
  },
  {
    scenario: scenarios.encryptedRestore,
    hangsAt: { call: "get", key: "000002", nth: 1, fault: { kind: "delay" } },
  },
  {
    scenario: scenarios.liveRestore,
    hangsAt: { call: "get", key: "000002", nth: 1, fault: { kind: "delay" } },
  },
];

for (const { scenario, hangsAt } of cases) {
  crashTest(
    `${scenario.name}: a stopped owner is taken over, and writes nothing when it is continued`,
    async () => {
      await using template = await makeTemplate(SMALL);
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      await using owner = start(drive({ ...description, rules: [hangsAt] }), place.folder);
      await owner.said("waiting");
      assert.ok(owner.signal("SIGSTOP"));
      await until(() => isStopped(owner.pid), 5000, () => "the owner does not stop");

      const refused = await run(drive(description), place.folder);
      assert.equal(refused.lines.at(-1)?.error?.code, "busy", describe(refused));
      assert.equal(refused.code, 7);
      assert.match(refused.lines.at(-1)?.error?.message ?? "", new RegExp(`process ${owner.pid}`));
      assert.match(refused.lines.at(-1)?.error?.hint ?? "", /--take-over/);

      await runWell(drive({ ...description, how: "take-over" }), place.folder);
      const before = await stateOf(place);
      owner.signal("SIGCONT");
      assert.equal((await owner.ended).signal, "SIGKILL");
      assert.deepEqual(await stateOf(place), before, "something was written after the take-over");
      await scenario.check(place, template);
    },
  );
}

async function isStopped(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
}

/** Every file of a place with its size and time. */
async function stateOf(place: Place): Promise<string[]> {
  const states: string[] = [];
  for (const folder of [place.home, place.store, join(place.target, "..")]) {
    for (const file of await pathsIn(folder)) {
      const { size, mtime } = await Deno.lstat(join(folder, file));
      states.push(`${folder}/${file} ${size} ${mtime?.toISOString()}`);
    }
  }
  return states;
}
