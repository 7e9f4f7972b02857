/** A destination that cannot take a backup, or a restore: what is there already is never touched. */
import assert from "node:assert/strict";
import { sampleChecksum } from "../../adapters/sqlite/sample.ts";
import {
  backUp,
  contentOf,
  failed,
  isThere,
  linesOf,
  nothingLeft,
  openPlace,
  type Place,
  until,
  well,
  worldOf,
} from "./cairn.ts";

const mountable = await canMount();

/** Tests that cannot mount are left out and say so; in CI that is a failure. */
const needsMount = { ignore: !mountable && Deno.env.get("CI") !== "true" };
if (needsMount.ignore) {
  const text = "tests/cli: the full disk is NOT tested: only root can mount a small one\n";
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir();
  const able = await run("mount", "-t", "tmpfs", "tmpfs", folder) && await run("umount", folder);
  await Deno.remove(folder);
  return able;
}

Deno.test("a folder that may not be written, or is none, is exit code 4", async () => {
  await using place = await openPlace();
  place.database("app.db");
  await Deno.mkdir(place.path("closed"), { mode: 0o500 });
  await Deno.writeTextFile(place.path("file"), "x");
  const before = await worldOf(place);
  const cases = [
    {
      to: "closed",
      code: "permission",
      message: /cannot write .* to .*\/closed: permission/,
      hint: /owner and the mode/,
    },
    { to: "closed/new", code: "permission", message: /permission denied/, hint: /owner and the mode/ },
    { to: "file", code: "refused", message: /the store .*\/file is a file/, hint: /another folder/ },
    {
      to: "s3://bucket/x",
      code: "usage",
      message: /S3 stores are not part of this version/,
      hint: /use a folder/,
    },
  ];
  for (const { to, ...failure } of cases) {
    const ended = await place.cairn(["backup", "app.db", "--to", to, "--json"], { unprivileged: true });
    failed(ended, { exit: failure.code === "usage" ? 2 : 4, ...failure });
  }
  assert.deepEqual(await worldOf(place), before);
  await nothingLeft(place);
  assert.equal(
    well(await place.cairn(["status", "--json"], { env: { CAIRN_HOME: place.path("other") } })).well,
    true,
  );
  // A bad destination of yesterday does not keep the next backup from being made.
  await backUp(place);
  await nothingLeft(place);
});

Deno.test("a state folder that may not be written is exit code 4", async () => {
  await using place = await openPlace();
  place.database("app.db");
  await Deno.mkdir(place.path("closed"), { mode: 0o500 });
  const before = await worldOf(place);
  for (const home of ["closed", "closed/home"]) {
    for (const command of [["backup", "app.db"], ["list"]]) {
      const options = { env: { CAIRN_HOME: place.path(home) }, unprivileged: true };
      failed(await place.cairn([...command, "--json"], options), {
        exit: 4,
        code: "permission",
        message: /closed.* cannot be .*: permission denied/,
        hint: /CAIRN_HOME/,
      });
    }
  }
  assert.deepEqual(await worldOf(place), before);
});

Deno.test(
  "a disk that is full is exit code 1; with room the run goes on, or it is cancelled",
  needsMount,
  async () => {
    assert.ok(mountable, "in CI the full disk has to be tested, so that this needs to run as root");
    await using place = await openPlace();
    const source = place.database("app.db", 2000);
    const disk = place.path("disk");
    await Deno.mkdir(disk);
    assert.ok(await run("mount", "-t", "tmpfs", "-o", "size=400k,mode=0700", "tmpfs", disk));
    try {
      const earlier = await backUp(place, "--to", "disk");
      const before = await contentOf(disk);
      await Deno.writeFile(place.path("disk/filler"), new Uint8Array(180 * 1024));
      const full = {
        exit: 1,
        code: "no_space",
        message: /disk.*: no space left on the device/,
        hint: /free some space/,
      };
      const again = ["backup", "app.db", "--to", "disk", "--json"];
      const { run: first } = failed(await place.cairn(again), { ...full, resumable: true });
      assert.equal(well(await place.cairn(["cancel", first, "--json"])).status, "cancelled");
      await Deno.remove(place.path("disk/filler"));
      assert.deepEqual(await contentOf(disk), before);
      await nothingLeft(place);

      await Deno.writeFile(place.path("disk/filler"), new Uint8Array(180 * 1024));
      const { run: second } = failed(await place.cairn(again), { ...full, resumable: true });
      await Deno.remove(place.path("disk/filler"));
      well(await place.cairn(["resume", second, "--json"]));
      const after = await contentOf(disk);
      for (const [path, content] of Object.entries(before)) assert.equal(after[path], content, path);
      await nothingLeft(place);
      for (const artifact of [earlier.id, "latest"]) {
        well(
          await place.cairn([
            "restore",
            artifact,
            "--from",
            "disk",
            "--into",
            "restored.db",
            "--overwrite",
            "--json",
          ]),
        );
        assert.equal(sampleChecksum(place.path("restored.db")), sampleChecksum(source));
      }

      // The target of a restore can be full as well.
      await Deno.writeFile(place.path("disk/filler"), new Uint8Array(180 * 1024)).catch(() => {});
      const target = ["restore", "latest", "--from", "disk", "--into", "disk/new.db", "--json"];
      failed(await place.cairn(target), {
        exit: 1,
        code: "no_space",
        message: /the restored database needs .*, and .*\/disk has .* free/,
        hint: /make room/,
      });
      assert.equal(await isThere(place.path("disk/new.db")), false);
      await nothingLeft(place);
    } finally {
      await run("umount", disk);
    }
  },
);

Deno.test("a store that vanishes in mid-run is exit code 5; when it is back the run goes on", async () => {
  await using place = await openPlace();
  const source = place.database("app.db", 10_000);
  const { id } = await backUp(place, "--to", "store");
  const options = { env: { CAIRN_PART_BYTES: "4000" } };
  const backup = place.start(["backup", "app.db", "--to", "store", "--json"], options);
  const [, run = ""] = await backup.printed(/"run":"backup-([^"]*)"/);
  const folder = place.path("store", "app", `${run}.full.sqlite`);
  await until(() => isThere(`${folder}/000003.zst`), "a part is sent");
  await Deno.rename(place.path("store"), place.path("elsewhere"));
  const gone = { exit: 5, code: "unreachable", hint: /mounted/, resumable: true };
  failed(await backup.ended, { ...gone, message: /the store .*\/store (is gone|holds nothing)/ });
  const resume = ["resume", `backup-${run}`, "--json"];
  const message = /the store .*\/store holds nothing of this backup any more/;
  failed(await place.cairn(resume), { ...gone, message });
  assert.equal(
    await isThere(place.path("store")),
    false,
    "nothing may be written where the store was mounted",
  );
  const parts = await partsIn(place, "elsewhere", run);

  await Deno.rename(place.path("elsewhere"), place.path("store"));
  const artifact = well(await place.cairn(resume)).artifact;
  const after = await contentOf(place.path("store"));
  for (const [path, content] of parts) assert.equal(after[path], content, `${path} was sent again`);
  assert.ok(artifact.parts > parts.length);
  await nothingLeft(place);
  for (const each of [id, artifact.id]) {
    well(await place.cairn(["restore", each, "--from", "store", "--into", `${each}.db`, "--json"]));
    assert.equal(sampleChecksum(place.path(`${each}.db`)), sampleChecksum(source));
  }
});

Deno.test("a part that the store lost before the end is exit code 6, and the backup never counts", async () => {
  await using place = await openPlace();
  place.database("app.db", 2000);
  const killed = await place.cairn(["backup", "app.db", "--json"], {
    env: { CAIRN_CRASH_AT: "after step-done dump/1" },
  });
  assert.equal(killed.signal, "SIGKILL");
  const { run } = linesOf(killed)[0];
  const folder = `app/${run.replace("backup-", "")}.full.sqlite`;
  await until(() => isThere(place.path("backups", folder, "000001.zst")), "a part is sent");
  await Deno.remove(place.path("backups", folder, "000001.zst"));
  failed(await place.cairn(["resume", run, "--json"]), {
    exit: 6,
    code: "verification",
    message: /000001\.zst is gone: the store lost it/,
    hint: /cancel this run/,
    resumable: true,
  });
  assert.equal(
    await isThere(place.path("backups", `${folder.replace(".full.sqlite", "")}.manifest.json`)),
    false,
  );
  well(await place.cairn(["cancel", run, "--json"]));
  assert.deepEqual(await contentOf(place.path("backups")), {});
  await nothingLeft(place);
});

async function partsIn(place: Place, store: string, id: string): Promise<[string, string][]> {
  return Object.entries(await contentOf(place.path(store))).filter(([path]) =>
    path.startsWith(`app/${id}.full`)
  );
}

Deno.test("a store that is not there is exit code 3 when it is to be read", async () => {
  await using place = await openPlace();
  for (
    const args of [["list"], ["restore", "latest", "--into", "x.db"], ["verify", "latest"], [
      "catalog",
      "rebuild",
    ]]
  ) {
    failed(await place.cairn([...args, "--from", "nowhere", "--json"]), {
      exit: 3,
      code: "not_found",
      message: /there is no folder .*\/nowhere/,
      hint: /./,
    });
  }
  assert.equal(await isThere(place.path("nowhere")), false);
});

Deno.test("a target that exists is exit code 4 and stays as it is, unless --overwrite is said", async () => {
  await using place = await openPlace();
  const source = place.database("app.db");
  await backUp(place);
  place.database("filled.db", 50);
  await Deno.writeTextFile(place.path("notes.txt"), "no database");
  await Deno.mkdir(place.path("folder"));
  await Deno.mkdir(place.path("closed"), { mode: 0o500 });
  const before = await worldOf(place);
  const cases = [
    { into: "filled.db", code: "target_exists", message: /filled\.db has 2 tables/, hint: /--overwrite/ },
    {
      into: "notes.txt",
      code: "target_exists",
      message: /notes\.txt is a file that is no SQLite database/,
      hint: /beside it/,
    },
    { into: "folder", code: "refused", message: /folder is a folder/, hint: /name a file in it/ },
    { into: "home/control.db", code: "refused", message: /Cairn's own control\.db/, hint: /another path/ },
    {
      into: "closed/new.db",
      code: "permission",
      message: /closed cannot be written: permission/,
      hint: /folder/,
    },
  ];
  for (const { into, ...failure } of cases) {
    const ended = await place.cairn(["restore", "latest", "--into", into, "--json"], { unprivileged: true });
    failed(ended, { exit: 4, ...failure });
  }
  failed(await place.cairn(["restore", "latest", "--into", "nowhere/new.db", "--json"]), {
    exit: 3,
    code: "not_found",
    message: /the folder .*\/nowhere does not exist/,
    hint: /make the folder/,
  });
  assert.deepEqual(await worldOf(place), before);
  await nothingLeft(place);
  // Not even with --overwrite is a file replaced that is no database.
  failed(await place.cairn(["restore", "latest", "--into", "notes.txt", "--overwrite", "--json"]), {
    exit: 4,
    code: "refused",
    message: /notes\.txt is a file that is no SQLite database/,
    hint: /move it away/,
  });
  assert.deepEqual(await worldOf(place), before);
  well(await place.cairn(["restore", "latest", "--into", "filled.db", "--overwrite", "--json"]));
  assert.equal(sampleChecksum(place.path("filled.db")), sampleChecksum(source));
  await nothingLeft(place);
});
