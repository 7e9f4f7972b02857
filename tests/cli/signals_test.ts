/** Ctrl-C and its kin: the run stops at a safe point, says how to go on, and goes on. */
import assert from "node:assert/strict";
import { sampleChecksum } from "../../adapters/sqlite/sample.ts";
import {
  backUp,
  contentOf,
  failed,
  isThere,
  type Line,
  nothingLeft,
  openPlace,
  type Place,
  type Running,
  until,
  well,
  whileLocked,
} from "./cairn.ts";

/** Waits until a run is in a step. */
async function inStep(place: Place, run: string, wanted: string): Promise<void> {
  await until(async () => {
    const view = well(await place.cairn(["runs", "show", run, "--json"])).run;
    return view.steps.some((step: Line) => step.name === wanted && step.status === "running");
  }, `${run} is in ${wanted}`);
}

async function runOf(running: Running): Promise<string> {
  const [, run = ""] = await running.printed(/"run":"([^"]*)"/);
  return run;
}

Deno.test("Ctrl-C stops a backup with exit code 130 and the command that goes on, which does", async () => {
  await using place = await openPlace();
  const source = place.database("app.db", 10_000);
  const backup = place.start(["backup", "app.db", "--json"], { env: { CAIRN_PART_BYTES: "4000" } });
  const run = await runOf(backup);
  const folder = place.path("backups/app", `${run.replace("backup-", "")}.full.sqlite`);
  await until(() => isThere(`${folder}/000003.zst`), "a part is sent");
  await backup.pressCtrlC();
  const ended = await backup.ended;
  failed(ended, {
    exit: 130,
    code: "interrupted",
    message: new RegExp(`run ${run} was interrupted`),
    hint: new RegExp(`cairn resume ${run}`),
    resumable: true,
  });
  assert.match(ended.stderr, /stopping at the next safe point; once more to stop at once/);
  const before = await contentOf(folder);
  assert.equal(await isThere(place.path("home/locks", `run-${run}.lock`)), false);

  const { artifact } = well(await place.cairn(["resume", run, "--json"]));
  const after = await contentOf(folder);
  for (const [part, content] of Object.entries(before)) assert.equal(after[part], content);
  assert.ok(artifact.parts > Object.keys(before).length, "it was not finished before");
  await nothingLeft(place);
  well(await place.cairn(["restore", "latest", "--into", "restored.db", "--json"]));
  assert.equal(sampleChecksum(place.path("restored.db")), sampleChecksum(source));
});

Deno.test("without --json the last line is the command that goes on; SIGTERM is like Ctrl-C", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const [ended, run] = await whileLocked(place.path("app.db"), async () => {
    const backup = place.start(["backup", "app.db"]);
    const [, id] = await backup.printed(/^backup (\S+) ·/m);
    await inStep(place, `backup-${id}`, "snapshot");
    backup.kill("SIGTERM");
    return [await backup.ended, `backup-${id}`] as const;
  });
  assert.equal(ended.code, 130);
  assert.equal(ended.stderr.trimEnd().split("\n").at(-1), `cairn resume ${run}`);
  assert.equal((await place.cairn(["resume", run])).code, 0);
  await nothingLeft(place);
});

Deno.test("a second signal ends a backup at once, and it goes on all the same", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const run = await whileLocked(place.path("app.db"), async () => {
    const backup = place.start(["backup", "app.db", "--json"]);
    const run = await runOf(backup);
    await inStep(place, run, "snapshot");
    // Both are there before it can do what the first one asks for.
    backup.kill("SIGSTOP");
    backup.kill("SIGINT");
    backup.kill("SIGTERM");
    backup.kill("SIGCONT");
    const { code, signal } = await backup.ended;
    assert.deepEqual([code, signal], [130, null]);
    return run;
  });
  const view = well(await place.cairn(["runs", "show", run, "--json"])).run;
  assert.deepEqual([view.status, view.resumable], ["interrupted", true]);
  well(await place.cairn(["resume", run, "--json"]));
  await nothingLeft(place);
});

Deno.test("Ctrl-C stops a restore with its target untouched; it goes on when a person says so", async () => {
  await using place = await openPlace();
  const source = place.database("app.db", 400);
  await backUp(place);
  const target = place.database("target.db", 20);
  const before = sampleChecksum(target);
  const run = await whileLocked(target, async () => {
    const restore = place.start(["restore", "latest", "--into", "target.db", "--overwrite", "--json"]);
    const run = await runOf(restore);
    await until(async () => {
      const view = well(await place.cairn(["runs", "show", run, "--json"])).run;
      return view.status === "running" && view.steps.length > 0;
    }, "the restore waits for its target");
    await restore.pressCtrlC();
    failed(await restore.ended, {
      exit: 130,
      code: "interrupted",
      message: /was interrupted/,
      hint: /cairn resume/,
      resumable: true,
    });
    return run;
  });
  assert.equal(sampleChecksum(target), before);
  well(await place.cairn(["resume", run, "--json"]));
  assert.equal(sampleChecksum(target), sampleChecksum(source));
  await nothingLeft(place);
});
