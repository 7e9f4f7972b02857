import assert from "node:assert/strict";
import type { Address } from "../../adapters/adapter.ts";
import { createSqliteAdapter } from "../../adapters/sqlite/mod.ts";
import {
  assertCode,
  backUp,
  EVERYTHING,
  live,
  load,
  readAll,
  request,
  restore,
  takeSnapshot,
} from "../conformance/adapter_harness.ts";
import { unused, usersOf } from "./open_files.ts";
import { openSqliteHarness, startWriter, withDatabase } from "./sqlite_harness.ts";

const open = (journalMode: "wal" | "delete") =>
  openSqliteHarness({ adapter: createSqliteAdapter(), journalMode });

function pathOf(address: Address): string {
  return address.url.slice("sqlite:".length);
}

Deno.test("sqlite: a copy that writers make begin anew holds them in the end, and says so", async () => {
  await using h = await open("delete");
  const source = await h.create("filled");
  withDatabase(pathOf(source), (db) => {
    db.exec("CREATE TABLE bulk (a)");
    const insert = db.prepare("INSERT INTO bulk VALUES (zeroblob(1000000))");
    for (let count = 0; count < 60; count++) insert.run();
  });
  const total = await h.total(source);
  const writer = await startWriter(pathOf(source));
  const backup = await backUp(h, source).finally(writer.stop);
  assert.match(backup.snapshot.warnings.join(), /writers were held for \d+\.\d s/);
  const target = await h.missing();
  await restore(h, backup, target);
  assert.equal(await h.total(target), total);
});

Deno.test("sqlite: a quiet source gives no warning, and nothing stays beside it", async () => {
  for (const mode of ["wal", "delete"] as const) {
    await using h = await open(mode);
    const source = await h.create("filled");
    const before = await Deno.readFile(pathOf(source));
    assert.deepEqual((await takeSnapshot(h, source)).warnings, []);
    assert.deepEqual(await h.leftovers(), []);
    assert.deepEqual(await Deno.readFile(pathOf(source)), before);
  }
});

Deno.test("sqlite: what is only in the log of an open database is in the copy", async () => {
  await using h = await open("wal");
  const source = await h.create("filled");
  const target = await h.missing();
  const backup = await withDatabase(pathOf(source), (db) => {
    db.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO note VALUES ('late', 1, NULL)");
    return backUp(h, source);
  });
  await restore(h, backup, target);
  assert.deepEqual(await h.read(target), await h.read(source));
});

Deno.test("sqlite: a source whose writer died in mid-transaction is copied without its half", async () => {
  await using h = await open("delete");
  const source = await h.create("filled");
  const before = await h.read(source);
  const writer = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-config",
      `import { DatabaseSync } from "node:sqlite";
       const db = new DatabaseSync(Deno.args[0]);
       db.exec("PRAGMA cache_size = 1; BEGIN; UPDATE log SET what = 'half'; UPDATE account SET balance = 0");
       Deno.kill(Deno.pid, "SIGKILL")`,
      pathOf(source),
    ],
  });
  assert.equal((await writer.output()).signal, "SIGKILL");
  assert.deepEqual(await h.leftovers(), ["database 0.db-journal"]);
  const target = await h.missing();
  await restore(h, await backUp(h, source), target);
  assert.deepEqual(await h.read(target), before);
});

Deno.test("sqlite: a snapshot that is taken again starts over", async () => {
  await using h = await open("wal");
  const source = await h.create("filled");
  await Deno.mkdir(`${h.folder}/copy`);
  for (const name of ["snapshot.db", "snapshot.db-journal", "snapshot.db-wal", "snapshot.all.db"]) {
    await Deno.writeTextFile(`${h.folder}/copy/${name}`, "left by a killed attempt");
  }
  const backup = await backUp(h, source);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(`${h.folder}/copy`))).map((entry) => entry.name), [
    "snapshot.db",
  ]);
  assert.equal(((await Deno.stat(`${h.folder}/copy/snapshot.db`)).mode ?? 0) & 0o777, 0o600);
  const target = await h.missing();
  await restore(h, backup, target);
  assert.deepEqual(await h.read(target), await h.read(source));
});

Deno.test("sqlite: a dump whose file is not as large as stated is no dump", async () => {
  await using h = await open("wal");
  const source = await h.create("filled");
  const snapshot = await takeSnapshot(h, source);
  await Deno.truncate(String(snapshot.file), snapshot.plainBytes - 1);
  const dump = h.adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
  await assertCode("internal", readAll(dump));
  await assertCode("internal", dump.finished);
});

Deno.test("sqlite: when the main process is killed, a commit that waits for a lock never writes", async () => {
  await using h = await open("wal");
  const backup = await backUp(h, await h.create("filled"));
  const target = await h.create("other");
  const before = await h.read(target);
  const loaded = await load(h, backup, target, { overwrite: true });
  withDatabase(pathOf(target), (db) => db.exec("PRAGMA journal_mode = DELETE"));
  const holder = await startWriter(pathOf(target), "exclusive");
  const { signal: _, ...plain } = request(h, { overwrite: true });
  const script = `
    const { sqliteAdapter } = await import(${
    JSON.stringify(new URL("../../adapters/sqlite/mod.ts", import.meta.url).href)
  });
    const [target, loaded, request] = Deno.args.map((text) => JSON.parse(text));
    await sqliteAdapter.commit(target, loaded, { ...request, signal: new AbortController().signal });`;
  const args = [
    "eval",
    "--no-config",
    script,
    ...[target, loaded, plain].map((value) => JSON.stringify(value)),
  ];
  const main = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).spawn();
  try {
    await usersOf(pathOf(target), main.pid);
  } finally {
    main.kill("SIGKILL");
    await main.status;
    await holder.stop();
  }
  await unused(pathOf(target));
  assert.deepEqual(await h.read(target), before);
});
