/** Two processes want the same at the same moment: one gets it, the other is told who has it. */
import assert from "node:assert/strict";
import type { Description, JsonRule } from "./driver.ts";
import { each } from "./many.ts";
import { makeTemplate, openPlace, type Place, runId, SMALL } from "./place.ts";
import { describe, drive, run, type Running, start } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest, thorough } from "./settings.ts";

const ROUNDS = thorough(50, 5);

const cases: readonly { readonly scenario: Scenario; readonly killedAt: string; readonly meets: JsonRule }[] =
  [
    {
      scenario: scenarios.encryptedBackup,
      killedAt: "after step-done upload/1/1",
      meets: { call: "put", key: "manifest", nth: 1, fault: { kind: "delay" } },
    },
    {
      scenario: scenarios.restore,
      killedAt: "before step-done load",
      meets: { call: "get", key: "000003", nth: 1, fault: { kind: "delay" } },
    },
  ];

for (const { scenario, killedAt, meets } of cases) {
  crashTest(`${scenario.name}: of two processes that recover it at once, one does`, async () => {
    await using template = await makeTemplate(SMALL);
    await each(Array(ROUNDS).keys(), (round) => `${scenario.name}, round ${round}`, async () => {
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      const killed = await run(drive(description, { CAIRN_CRASH_AT: killedAt }), place.folder);
      assert.equal(killed.signal, "SIGKILL", describe(killed));
      // The winner waits in the middle, so that the loser is sure to meet it.
      await race(place, [{ ...description, rules: [meets] }, { ...description, rules: [meets] }]);
      await scenario.check(place, template);
    });
  });
}

crashTest("of two new backups of one database, one runs, and the other is told its name", async () => {
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.encryptedBackup.lay(place, template);
  const rules: JsonRule[] = [{ call: "put", key: "000002", nth: 1, fault: { kind: "delay" } }];
  const message = await race(place, [
    { ...description, rules },
    { ...description, run: runId("backup"), rules },
  ]);
  assert.match(message, /is in use by run backup-|is being executed by process/);
  await scenarios.encryptedBackup.check(place, template);
});

/** Lets two processes go at the same moment; returns what the loser was told. */
async function race(place: Place, descriptions: readonly [Description, Description]): Promise<string> {
  const [one, other] = descriptions;
  await using first = start(drive({ ...one, barrier: true }), place.folder);
  await using second = start(drive({ ...other, barrier: true }), place.folder);
  const racers = [first, second];
  await Promise.all(racers.map((racer) => racer.said("ready")));
  await Promise.all(racers.map((racer) => racer.answer()));
  const winner = await Promise.any(racers.map((racer) => racer.said("waiting").then(() => racer)));
  const loser = racers.find((racer): racer is Running => racer !== winner);
  assert.ok(loser !== undefined);
  const lost = await loser.ended;
  assert.equal(lost.code, 7, `the loser is not busy: ${describe(lost)}`);
  assert.equal(lost.lines.at(-1)?.error?.code, "busy");
  await winner.answer();
  const won = await winner.ended;
  assert.equal(won.code, 0, `the winner failed: ${describe(won)}`);
  return lost.lines.at(-1)?.error?.message ?? "";
}
