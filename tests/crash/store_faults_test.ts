/** Each call of the store goes wrong once, in every way. */
import assert from "node:assert/strict";
import type { Call } from "../doubles/store_faulty.ts";
import type { Description, JsonRule } from "./driver.ts";
import { each } from "./many.ts";
import { makeTemplate, openPlace, type Place, SMALL, type Template } from "./place.ts";
import { describe, drive, type Ended, run, runWell, start } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest, FULL } from "./settings.ts";

type Fault = JsonRule["fault"];

const ANY_CALL: readonly Fault[] = [
  { kind: "error" },
  { kind: "error-after" },
  { kind: "delay" },
  { kind: "kill", when: "before" },
  { kind: "kill", when: "after" },
];
const READS: readonly Fault[] = [
  { kind: "short", bytes: 100, ending: "fails" },
  { kind: "short", bytes: 100, ending: "ends" },
];

const tested: readonly Scenario[] = FULL
  ? [
    scenarios.backup,
    scenarios.encryptedBackup,
    scenarios.liveBackup,
    scenarios.encryptedRestore,
    scenarios.restoreOver,
    scenarios.liveRestore,
    scenarios.verify,
    scenarios.cancel,
  ]
  : [scenarios.encryptedBackup, scenarios.encryptedRestore];

for (const scenario of tested) {
  crashTest(`${scenario.name}: each call of the store may go wrong`, async () => {
    await using template = await makeTemplate(SMALL);
    const rules = (await rulesFor(scenario, template)).filter((_, index) => FULL || index % 3 === 0);
    const name = (rule: JsonRule) =>
      `${scenario.name}, ${rule.call} ${rule.nth} ${JSON.stringify(rule.fault)}`;
    await each(rules, name, async (rule) => {
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      const ended = await suffer(place, { ...description, rules: [rule] }, rule.fault);
      if (ended.code !== 0) await runWell(drive(description), place.folder);
      await scenario.check(place, template);
    });
  });
}

/** A rule for each call that an undisturbed run makes, and each thing that can happen to it. */
async function rulesFor(scenario: Scenario, template: Template): Promise<JsonRule[]> {
  await using place = await openPlace();
  const { calls = [] } = await runWell(drive(await scenario.lay(place, template)), place.folder);
  assert.ok(calls.length > 3, "there are hardly any calls");
  const counts = new Map<Call, number>();
  return calls.flatMap((made) => {
    const call = callOf(made);
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const faults = call === "get" ? [...ANY_CALL, ...READS] : ANY_CALL;
    return faults.map((fault) => ({ call, nth, fault }));
  });
}

function callOf(made: string): Call {
  const call = made.slice(0, made.indexOf(" "));
  if (call === "put" || call === "get" || call === "stat" || call === "list" || call === "delete") {
    return call;
  }
  throw new Error(`${made} is no call of a store`);
}

/** Runs into the fault, which the run has to survive by itself unless its process is killed or it was lied to. */
async function suffer(place: Place, description: Description, fault: Fault): Promise<Ended> {
  if (fault.kind === "delay") {
    await using running = start(drive(description), place.folder);
    await running.said("waiting");
    await running.answer();
    const ended = await running.ended;
    assert.equal(ended.code, 0, describe(ended));
    return ended;
  }
  const ended = await run(drive(description), place.folder);
  if (fault.kind === "kill") assert.equal(ended.signal, "SIGKILL", describe(ended));
  // A body that ends too early is damage, which no retry hides: a person looks at it first.
  else if (fault.kind === "short" && fault.ending === "ends") {
    assert.ok([0, 6].includes(ended.code), describe(ended));
  } else assert.equal(ended.code, 0, describe(ended));
  return ended;
}
