/** A state folder that is in use, damaged or too new, and several processes that want the same. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { sampleChecksum } from "../../adapters/sqlite/sample.ts";
import {
  backUp,
  contentOf,
  failed,
  IMPATIENT,
  type Line,
  linesOf,
  nothingLeft,
  openPlace,
  type Place,
  until,
  well,
  whileLocked,
  worldOf,
} from "./cairn.ts";

Deno.test("a control database that is locked is exit code 7", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  await backUp(place);
  const before = await worldOf(place);
  await whileLocked(place.path("home/control.db"), async () => {
    failed(await place.cairn(["backup", "app.db", "--json"], IMPATIENT), {
      exit: 7,
      code: "busy",
      message: /control\.db is locked by another process/,
      hint: /end that program/,
    });
  });
  assert.deepEqual(await worldOf(place), before);
  await backUp(place);
  await nothingLeft(place);
});

Deno.test("a control database that is damaged, or of a newer version, stays as it is; backups can still be restored", async () => {
  await using place = await openPlace();
  const source = place.database("app.db", 50);
  await backUp(place);
  const before = await worldOf(place);
  const control = place.path("home/control.db");
  const damages: [() => Promise<void> | void, Parameters<typeof failed>[1]][] = [
    [
      () => setVersion(control, 999),
      {
        exit: 4,
        code: "newer_version",
        message: /control\.db was written by a newer Cairn/,
        hint: /newer Cairn/,
      },
    ],
    [
      () => Deno.writeTextFile(control, "no database ".repeat(1000)),
      {
        exit: 1,
        code: "state_damaged",
        message: /control\.db is damaged/,
        hint: /move .*control\.db\* away/,
      },
    ],
  ];
  for (const [damage, failure] of damages) {
    await damage();
    const damaged = await Deno.readFile(control);
    for (const args of [["backup", "app.db"], ["runs"], ["restore", "latest", "--into", "new.db"]]) {
      failed(await place.cairn([...args, "--json"]), failure);
    }
    assert.deepEqual(await Deno.readFile(control), damaged);
  }
  assert.deepEqual(await worldOf(place), before);
  // What the hint says helps.
  await Deno.rename(control, place.path("home/away"));
  well(await place.cairn(["restore", "latest", "--into", "new.db", "--json"]));
  assert.equal(sampleChecksum(place.path("new.db")), sampleChecksum(source));
  // The catalog is only a cache: a damaged one is made anew without a word.
  await Deno.writeTextFile(place.path("home/catalog.db"), "no database ".repeat(1000));
  assert.equal(well(await place.cairn(["list", "--json"])).artifacts.length, 1);
});

function setVersion(path: string, version: number): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}

/** A backup that waits for the lock of its source, while `work` is done; then it goes on and must end well. */
async function whileBackingUp(place: Place, work: (run: string) => Promise<void>): Promise<Line> {
  const backup = await whileLocked(place.path("app.db"), async () => {
    const backup = place.start(["backup", "app.db", "--json"]);
    const [, run = ""] = await backup.printed(/"run":"([^"]*)"/);
    await until(async () => {
      const view = well(await place.cairn(["runs", "show", run, "--json"])).run;
      return view.steps.some((step: Line) => step.name === "snapshot" && step.status === "running");
    }, "the backup is in its snapshot");
    await work(run);
    return backup;
  });
  return well(await backup.ended);
}

Deno.test("a second backup or resume of what is backed up just now is exit code 7 and names the run", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const done = await whileBackingUp(place, async (run) => {
    const before = await contentOf(place.path("backups"));
    const second = await place.cairn(["backup", "app.db", "--label", "again", "--json"]);
    const { run: refused } = failed(second, {
      exit: 7,
      code: "busy",
      message: new RegExp(`app\\.db is in use by run ${run} \\(process \\d+\\)`),
      hint: new RegExp(`wait for run ${run} to end, or cancel it`),
    });
    assert.notEqual(refused, run);
    failed(await place.cairn(["resume", run, "--json"]), {
      exit: 7,
      code: "busy",
      message: new RegExp(`run ${run} is being executed by process \\d+`),
      hint: /--take-over/,
    });
    assert.deepEqual(await contentOf(place.path("backups")), before);
    const runs = well(await place.cairn(["runs", "list", "--unfinished", "--json"])).runs;
    assert.deepEqual(runs.map((each: Line) => [each.id, each.status]), [[run, "running"]]);
  });
  assert.equal(done.status, "done");
  await nothingLeft(place);
  assert.equal(well(await place.cairn(["list", "--json"])).artifacts.length, 1);
});

Deno.test("a backup that another process cancels ends with exit code 130 and leaves nothing", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  await whileLocked(place.path("app.db"), async () => {
    const backup = place.start(["backup", "app.db", "--json"]);
    const [, run = ""] = await backup.printed(/"run":"([^"]*)"/);
    await until(async () => {
      return well(await place.cairn(["runs", "show", run, "--json"])).run.status === "running";
    }, "the backup runs");
    // The process that was asked may have let go before the one that asks looks again.
    assert.match(well(await place.cairn(["cancel", run, "--json"])).status, /^(requested|cancelled)$/);
    failed(await backup.ended, {
      exit: 130,
      code: "interrupted",
      message: new RegExp(`run ${run} was cancelled`),
      hint: /./,
    });
  });
  await nothingLeft(place);
});

Deno.test("of two processes that resume one run, one does it and the other is told", async () => {
  await using place = await openPlace();
  const source = place.database("app.db", 4000);
  const killed = await place.cairn(["backup", "app.db", "--json"], {
    env: { CAIRN_CRASH_AT: "after step-done upload/1/2" },
  });
  assert.equal(killed.signal, "SIGKILL");
  const { run } = linesOf(killed)[0];
  const ends = await Promise.all([1, 2].map(() => place.cairn(["resume", run, "--json"])));
  const [first, second] = ends.sort((a, b) => a.code - b.code);
  assert.ok(first && second);
  const { artifact } = well(first);
  // The one that came too late either met the other or, when that was quicker, tells its result.
  if (second.code === 0) assert.deepEqual(well(second).artifact, artifact);
  else {
    failed(second, {
      exit: 7,
      code: "busy",
      message: new RegExp(`run ${run} is being executed by process|is in use by run ${run}`),
      hint: /./,
    });
  }
  await nothingLeft(place);
  well(await place.cairn(["restore", "latest", "--into", "restored.db", "--json"]));
  assert.equal(sampleChecksum(place.path("restored.db")), sampleChecksum(source));
});

Deno.test("another database under a derived label is exit code 4; under a given one it is told", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  await backUp(place);
  await Deno.mkdir(place.path("other"));
  place.database("other/app.db", 60);
  const before = await worldOf(place);
  failed(await place.cairn(["backup", "other/app.db", "--json"]), {
    exit: 4,
    code: "refused",
    message: /the label "app" in .*\/backups belongs to another database/,
    hint: /--label/,
  });
  assert.deepEqual(await worldOf(place), before);
  await nothingLeft(place);
  const moved = await place.cairn(["backup", "other/app.db", "--label", "app", "--json"]);
  assert.match(well(moved).warnings.join(), /the label "app" belonged to another database before/);
  assert.match(moved.stderr, /^warning: the label "app" belonged to another database before/m);
});

Deno.test("when the clock was set back the new id still sorts last, and a warning says so", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const { id } = await backUp(place);
  const future = `2${Number(id.slice(1, 4)) + 900}${id.slice(4)}`;
  await toFuture(place, id, future);
  const ended = await place.cairn(["backup", "app.db", "--quiet", "--json"]);
  const { artifact, warnings } = well(ended);
  assert.ok(artifact.id > future, `${artifact.id} has to sort behind ${future}`);
  assert.match(warnings.join(), /the clock is behind the newest artifact of "app"/);
  assert.match(ended.stderr, /^warning: the clock is behind the newest artifact of "app"/m);
  const shown = well(await place.cairn(["show", "latest", "--json"])).artifact;
  assert.equal(shown.id, artifact.id);
  assert.ok(shown.createdAt < "2100", "the time of the artifact is that of the clock");
  assert.deepEqual(
    well(await place.cairn(["list", "--json"])).artifacts.map((each: Line) => each.id),
    [artifact.id, future],
  );
  await nothingLeft(place);
});

/** Renames an artifact that is not encrypted, as if it had been made in the future. */
async function toFuture(place: Place, id: string, future: string): Promise<void> {
  const label = (name: string) => place.path("backups/app", name);
  const text = await Deno.readTextFile(label(`${id}.manifest.json`));
  await Deno.writeTextFile(label(`${future}.manifest.json`), text.replaceAll(id, future), { mode: 0o600 });
  await Deno.remove(label(`${id}.manifest.json`));
  await Deno.rename(label(`${id}.full.sqlite`), label(`${future}.full.sqlite`));
}
