/** A live source and a live target: what exists only where a dump is a process, from takes to aborted loads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readContent } from "../adapters/sqlite_content.ts";
import type { LiveFault } from "../doubles/live_sqlite.ts";
import type { JsonRule } from "./driver.ts";
import {
  checkArtifact,
  checkContent,
  checkNothingLeft,
  checkOnlyTarget,
  checkStoreEmpty,
  pathsIn,
} from "./invariants.ts";
import { each } from "./many.ts";
import { LARGE, makeTemplate, openPlace, SMALL } from "./place.ts";
import { describe, drive, type Line, run, runWell } from "./processes.ts";
import { scenarios } from "./scenarios.ts";
import { changeSource, makeOther } from "./source_database.ts";
import { crashTest } from "./settings.ts";

const { liveBackup, liveRestore } = scenarios;
const NO_SETTINGS = { settings: [] };

crashTest("a live dump that was cut off by a kill is taken again, under another name", async () => {
  await using template = await makeTemplate(LARGE);
  await using place = await openPlace();
  const description = await liveBackup.lay(place, template);
  for (const [index, point] of ["after step-done upload/1/1", "after step-done upload/2/1"].entries()) {
    const killed = await run(drive(description, { CAIRN_CRASH_AT: point }), place.folder);
    assert.equal(killed.signal, "SIGKILL", describe(killed));
    const objects = await pathsIn(place.store);
    assert.ok(objects.some((path) => path.endsWith("000001.zst")), `take ${index + 1} has no part`);
    changeSource(place.source);
  }
  assert.equal(takesOf(await runWell(drive(description), place.folder)), 3);
  await checkNothingLeft(place);
  const dump = join(place.folder, "by-hand.db");
  await checkArtifact(place, template, dump);
  checkContent(dump, readContent(place.source), NO_SETTINGS);
});

crashTest("a live dump that is complete is not taken again", async () => {
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await liveBackup.lay(place, template);
  const killed = await run(drive(description, { CAIRN_CRASH_AT: "after step-done dump/1" }), place.folder);
  assert.equal(killed.signal, "SIGKILL", describe(killed));
  await Deno.remove(place.source); // nobody needs it any more
  assert.equal(takesOf(await runWell(drive(description), place.folder)), 1);
  await liveBackup.check(place, template);
});

crashTest("a dump that ends badly is lost, nothing of it stays, and the next one counts", async () => {
  await using template = await makeTemplate(SMALL);
  const faults: readonly LiveFault[] = [
    { kind: "status" },
    { kind: "killed", afterBytes: 120_000 },
    { kind: "truncated", afterBytes: 200_000 },
    { kind: "stalled", afterBytes: 120_000 },
  ];
  await each(faults, (fault) => fault.kind, async (fault) => {
    await using place = await openPlace();
    const description = await liveBackup.lay(place, template);
    const first = { ...description, liveFaults: [fault], stallMilliseconds: 1500 };
    assert.equal(takesOf(await runWell(drive(first), place.folder)), 2);
    await liveBackup.check(place, template);
  });
});

crashTest(
  "a source whose dumps all end badly fails the run, which keeps nothing and can be resumed",
  async () => {
    await using template = await makeTemplate(SMALL);
    await using place = await openPlace();
    const description = await liveBackup.lay(place, template);
    const failed = await run(
      drive({ ...description, liveFaults: Array(3).fill({ kind: "status" }) }),
      place.folder,
    );
    const last = failed.lines.at(-1);
    assert.equal(failed.code, 1, describe(failed));
    assert.equal(last?.error?.code, "tool_failed");
    assert.match(last.error.message, /status 3/);
    assert.equal(last.resumable, true);
    assert.deepEqual((await pathsIn(place.store)).filter((path) => path.includes("zst")), []);
    assert.equal(takesOf(await runWell(drive(description), place.folder)), 4);
    await liveBackup.check(place, template);
  },
);

for (const over of [false, true]) {
  crashTest(
    `a live load whose stream breaks off ${over ? "leaves the old content" : "leaves no target"}`,
    async () => {
      await using template = await makeTemplate(SMALL);
      await using place = await openPlace();
      const laid = await liveRestore.lay(place, template);
      if (over) makeOther(place.target, "delete");
      assert.ok(laid.workflow === "restore");
      const description = { ...laid, job: { ...laid.job, overwrite: over } };
      const before = over ? readContent(place.target) : undefined;
      const rules: JsonRule[] = [{
        call: "get",
        key: "000002",
        nth: 1,
        times: 100,
        fault: { kind: "error" },
      }];
      const failed = await run(drive({ ...description, rules }), place.folder);
      assert.equal(failed.lines.at(-1)?.error?.code, "unreachable", describe(failed));
      assert.equal(failed.code, 5);
      if (before === undefined) assert.deepEqual(await pathsIn(place.target.replace(/\/[^/]*$/, "")), []);
      else {
        await checkOnlyTarget(place);
        checkContent(place.target, before);
      }
      await runWell(drive(description), place.folder);
      await checkOnlyTarget(place);
      checkContent(place.target, template.content, NO_SETTINGS);
    },
  );
}

crashTest("a live restore that is cancelled after its load leaves no target", async () => {
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await liveRestore.lay(place, template);
  const killed = await run(drive(description, { CAIRN_CRASH_AT: "after step-done load" }), place.folder);
  assert.equal(killed.signal, "SIGKILL", describe(killed));
  await runWell(drive({ ...description, how: "cancel" }), place.folder);
  assert.deepEqual(await pathsIn(place.target.replace(/\/[^/]*$/, "")), []);
  await checkNothingLeft(place);
});

crashTest("a live backup that is cancelled in mid-dump leaves nothing", async () => {
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await liveBackup.lay(place, template);
  const killed = await run(drive(description, { CAIRN_CRASH_AT: "after step-done seal/1/2" }), place.folder);
  assert.equal(killed.signal, "SIGKILL", describe(killed));
  await runWell(drive({ ...description, how: "cancel" }), place.folder);
  await checkNothingLeft(place);
  await checkStoreEmpty(place);
});

function takesOf({ output }: Line): number {
  if (typeof output === "object" && output !== null && "takes" in output) return Number(output.takes);
  throw new Error("the backup does not say how many takes it needed");
}
