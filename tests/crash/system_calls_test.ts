/**
 * SIGKILL at the N-th durable system call, for each call separately. strace counts by thread, and in the children too: a
 * killed child is one more thing that a run has to survive.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { each } from "./many.ts";
import { makeTemplate, openPlace, SMALL, type Template } from "./place.ts";
import { describe, drive, run, runWell } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest, FULL, tell, thorough } from "./settings.ts";
import { DURABLE_CALLS, readCalls, runUntilCall, traced, wasKilled } from "./strace.ts";

/** There are hundreds of these, most of them alike: a spread of positions is taken. */
const MANY = ["write", "pwrite64"];

const byThread: readonly Scenario[] = FULL
  ? [scenarios.encryptedBackup, scenarios.restoreOver]
  : [scenarios.encryptedBackup];
const inOrder: readonly Scenario[] = FULL
  ? [
    scenarios.encryptedBackup,
    scenarios.liveBackup,
    scenarios.restore,
    scenarios.restoreOver,
    scenarios.cancel,
  ]
  : [scenarios.encryptedBackup, scenarios.restoreOver];

for (const scenario of byThread) {
  crashTest(`${scenario.name}: killed as a thread begins its N-th call of a kind, it goes on`, async () => {
    await using template = await makeTemplate(SMALL);
    const counts = await countCalls(scenario, template);
    const completed = new Set<string>();
    let kills = 0;
    await each(
      positions(counts, completed),
      ({ call, nth }) => `${scenario.name}, ${call} ${nth}`,
      async (kill) => {
        await using place = await openPlace();
        const log = join(place.folder, "strace.log");
        const description = await scenario.lay(place, template);
        const first = await run(traced(drive(description), { calls: [kill.call], log, kill }), place.folder);
        if (await wasKilled(log)) {
          kills++;
          let ended = await run(drive(description), place.folder);
          // Every SQLite child was killed at the same call, until the tries were used up, and then the process itself: that the
          // step has failed is journaled, so the recovery says so, and a person resumes it.
          if (/"failed","resumable":true.*ended early \(SIGKILL\)/.test(describe(ended))) {
            ended = await run(drive(description), place.folder);
          }
          assert.equal(ended.code, 0, `it did not go on: ${describe(ended)}`);
        } else {
          completed.add(kill.call);
          assert.equal(first.code, 0, `it failed without being killed: ${describe(first)}`);
        }
        await scenario.check(place, template);
      },
    );
    tell(`${scenario.name}: ${kills} kills at ${[...counts.keys()].join(", ")}`);
    assert.ok(kills >= counts.size, "hardly anything was killed");
  }, ["strace"]);
}

for (const scenario of inOrder) {
  crashTest(`${scenario.name}: killed as each durable system call begins, it goes on`, async () => {
    await using template = await makeTemplate(SMALL);
    const all = await countAll(scenario, template);
    const stride = thorough(1, Math.ceil(all / 16));
    let completed = false;
    let kills = 0;
    function* positions() {
      for (let nth = 1; !completed; nth += stride) yield nth;
    }
    await each(positions(), (nth) => `${scenario.name}, call ${nth}`, async (nth) => {
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      const { ended, killedAt } = await runUntilCall(drive(description), place.folder, nth);
      if (killedAt === undefined) completed = true;
      else kills++;
      if (ended.code !== 0) await runWell(drive(description), place.folder);
      try {
        await scenario.check(place, template);
      } catch (error) {
        throw new Error(`killed at ${killedAt}`, { cause: error });
      }
    }, 4); // they spend their time waiting
    tell(`${scenario.name}: ${kills} kills at ${all} calls`);
    assert.ok(kills > 10);
  }, ["strace"]);
}

/** How many durable calls on files of its place an undisturbed run makes. */
async function countAll(scenario: Scenario, template: Template): Promise<number> {
  await using place = await openPlace();
  const description = await scenario.lay(place, template);
  const { ended, calls } = await runUntilCall(drive(description), place.folder, Infinity);
  assert.equal(ended.code, 0, describe(ended));
  return calls;
}

/** How often the busiest thread makes each call in an undisturbed run. */
async function countCalls(scenario: Scenario, template: Template): Promise<Map<string, number>> {
  await using place = await openPlace();
  const log = join(place.folder, "strace.log");
  const description = await scenario.lay(place, template);
  await runWell(traced(drive(description), { calls: DURABLE_CALLS, log }), place.folder);
  const byThread = new Map<string, number>();
  for (const { thread, name } of await readCalls(log)) {
    byThread.set(`${name} ${thread}`, (byThread.get(`${name} ${thread}`) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [key, count] of byThread) {
    const name = key.slice(0, key.indexOf(" "));
    most.set(name, Math.max(count, most.get(name) ?? 0));
  }
  for (const name of ["fsync", "unlink", "write", "pwrite64"]) {
    assert.ok(most.has(name), `no ${name}`);
  }
  return most;
}

/** Each call with N = 1, 2, …, until a run completed; with gaps where there are too many. */
function* positions(counts: ReadonlyMap<string, number>, completed: ReadonlySet<string>) {
  for (const [call, count] of counts) {
    const limit = MANY.includes(call) ? thorough(300, 10) : thorough(Infinity, 3);
    const stride = Math.max(1, Math.floor(count / limit));
    for (let nth = 1; !completed.has(call); nth += stride) yield { call, nth };
  }
}
