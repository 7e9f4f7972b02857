import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Address } from "../../adapters/adapter.ts";
import { callChild } from "../../adapters/sqlite/call.ts";
import { createSqliteAdapter } from "../../adapters/sqlite/mod.ts";
import {
  type AdapterHarness,
  assertCode,
  backUp,
  live,
  load,
  request,
  restore,
} from "../conformance/adapter_harness.ts";
import { unused, usersOf } from "./open_files.ts";
import { readContent } from "./sqlite_content.ts";
import { openSqliteHarness, startWriter, withDatabase } from "./sqlite_harness.ts";

function open(lockLimitMilliseconds = 60_000): Promise<AdapterHarness> {
  return openSqliteHarness({ adapter: createSqliteAdapter({ lockLimitMilliseconds }), journalMode: "wal" });
}

function pathOf(address: Address): string {
  return address.url.slice("sqlite:".length);
}

function run(address: Address, sql: string): void {
  withDatabase(pathOf(address), (db) => db.exec(sql));
}

/** Deno's types do not know the option yet: lets the schema be written. */
const UNGUARDED = { timeout: 0, defensive: false };

/** A database of which everything can be chosen. */
async function make(h: AdapterHarness, sql: string): Promise<Address> {
  const address = await h.missing();
  run(address, sql);
  return address;
}

const ONLY = (...tables: string[]) => ({ selection: { tables, excludeTables: [] } });

Deno.test("sqlite: a new database can be read by its owner only", async () => {
  await using h = await open();
  const target = await h.missing();
  await restore(h, await backUp(h, await h.create("filled")), target);
  assert.equal(((await Deno.stat(pathOf(target))).mode ?? 0) & 0o777, 0o600);
});

Deno.test("sqlite: a commit goes on from each point at which it was cut off", async () => {
  await using h = await open();
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  const linked = await h.missing();
  const half = await load(h, backup, linked);
  await Deno.link(String(half.facts.temporary), pathOf(linked));
  await h.adapter.commit(linked, half, request(h));
  assert.deepEqual(await h.read(linked), await h.read(source));

  const target = await h.missing();
  const loaded = await load(h, backup, target);
  await h.adapter.commit(target, loaded, request(h));
  // A program may have written already; the repetition must not mind.
  run(target, "INSERT INTO note VALUES ('new', 1, NULL)");
  const after = await h.read(target);
  await h.adapter.commit(target, loaded, request(h));
  assert.deepEqual(await h.read(target), after);
  assert.deepEqual(await h.leftovers(), []);
});

Deno.test("sqlite: a file that appeared at the target meanwhile is never replaced", async () => {
  await using h = await open();
  const backup = await backUp(h, await h.create("filled"));
  const target = await h.missing();
  const loaded = await load(h, backup, target);
  run(target, "CREATE TABLE other (a)");
  const before = await h.read(target);
  await assertCode("target_exists", h.adapter.commit(target, loaded, request(h)));
  // Neither is one that stands where our file was.
  await h.adapter.discard(target, { run: "run-1", signal: live() });
  await assertCode("target_exists", h.adapter.commit(target, loaded, request(h)));
  assert.deepEqual(await h.read(target), before);
  await Deno.remove(pathOf(target));
  await assertCode("not_found", h.adapter.commit(target, loaded, request(h)));
});

Deno.test("sqlite: the log of a database that is gone is not applied to the restored one", async () => {
  await using h = await open();
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  const target = await h.missing();
  // The log of the very same database, of a later time: SQLite would believe it.
  await Deno.copyFile(pathOf(source), pathOf(target));
  withDatabase(pathOf(target), (db) => {
    db.exec("DELETE FROM note");
    for (const suffix of ["-wal", "-shm"]) {
      Deno.copyFileSync(pathOf(target) + suffix, `${h.folder}/kept${suffix}`);
    }
  });
  await Deno.remove(pathOf(target));
  for (const suffix of ["-wal", "-shm"]) {
    await Deno.copyFile(`${h.folder}/kept${suffix}`, pathOf(target) + suffix);
  }
  await restore(h, backup, target);
  assert.deepEqual(await h.read(target), await h.read(source));
  assert.deepEqual(await h.leftovers(), []);
});

Deno.test("sqlite: a target that was empty and is filled meanwhile keeps what it has", async () => {
  await using h = await open();
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  for (const changes of [{}, { overwrite: true, ...ONLY("note") }]) {
    const target = await h.create("bare");
    const loaded = await load(h, backup, target, changes);
    run(target, "CREATE TABLE other (a)");
    const before = await h.read(target);
    await assertCode("target_exists", h.adapter.commit(target, loaded, request(h, changes)));
    assert.deepEqual(await h.read(target), before);
  }
});

Deno.test("sqlite: a file of 0 bytes is an empty target, a file of another kind is none", async () => {
  await using h = await open();
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  const empty = await h.missing();
  await Deno.writeFile(pathOf(empty), new Uint8Array());
  assert.deepEqual(await h.adapter.inspect(empty, live()), { state: "empty" });
  await restore(h, backup, empty);
  assert.deepEqual(await h.read(empty), await h.read(source));

  const text = await h.missing();
  await Deno.writeTextFile(pathOf(text), "my diary");
  const found = await h.adapter.inspect(text, live());
  assert.deepEqual(found, { state: "filled", description: "is a file that is no SQLite database" });
  const error = await assertCode("refused", load(h, backup, text, { overwrite: true }));
  assert.match(error.hint ?? "", /move it away/);
  assert.equal(await Deno.readTextFile(pathOf(text)), "my diary");
});

Deno.test("sqlite: a database is described by what it has", async () => {
  await using h = await open();
  const describe = async (sql: string) => await h.adapter.inspect(await make(h, sql), live());
  const tables = "CREATE TABLE a (x); CREATE TABLE b (x); CREATE VIEW v AS SELECT 1";
  assert.deepEqual(await describe(tables), { state: "filled", description: "has 2 tables" });
  assert.deepEqual(await describe("CREATE TABLE a (x)"), { state: "filled", description: "has 1 table" });
  assert.deepEqual(await describe("CREATE VIEW v AS SELECT 1"), {
    state: "filled",
    description: "has 1 view",
  });
});

Deno.test("sqlite: an existing database keeps its journal mode, also when its page size changes", async () => {
  await using h = await open();
  for (const [from, into] of [["wal", "delete"], ["delete", "wal"], ["wal", "wal"]]) {
    const source = await make(
      h,
      `PRAGMA page_size = 1024; PRAGMA journal_mode = ${from}; CREATE TABLE t (a)`,
    );
    const target = await make(
      h,
      `PRAGMA page_size = 8192; PRAGMA journal_mode = ${into}; CREATE TABLE u (a)`,
    );
    await restore(h, await backUp(h, source), target, { overwrite: true });
    const { settings } = readContent(pathOf(target), ["journal_mode", "page_size"]);
    assert.deepEqual(settings, { journal_mode: into, page_size: 1024 });
    assert.deepEqual(await h.tables(target), ["t"]);
  }
  assert.deepEqual(await h.leftovers(), []);
});

Deno.test("sqlite: the page size of a WAL database that is open is refused to change", async () => {
  await using h = await open(300);
  const backup = await backUp(h, await make(h, "PRAGMA page_size = 1024; CREATE TABLE t (a)"));
  const target = await h.create("filled");
  const before = await h.read(target);
  const loaded = await load(h, backup, target, { overwrite: true });
  const program = await startWriter(pathOf(target), "idle");
  try {
    await assertCode("refused", h.adapter.commit(target, loaded, request(h, { overwrite: true })));
    assert.deepEqual(await h.read(target), before);
  } finally {
    await program.stop();
  }
  await h.adapter.commit(target, loaded, request(h, { overwrite: true }));
  assert.deepEqual(await h.tables(target), ["t"]);
});

Deno.test("sqlite: programs that have the target open do not hinder a restore, and see it", async () => {
  await using h = await open();
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  for (const [journalMode, mode] of [["wal", "idle"], ["wal", "read"], ["delete", "idle"]]) {
    const target = await make(h, `PRAGMA journal_mode = ${journalMode}; CREATE TABLE other (a)`);
    const program = await startWriter(pathOf(target), mode);
    try {
      await restore(h, backup, target, { overwrite: true });
      assert.deepEqual(await h.read(target), await h.read(source));
    } finally {
      await program.stop();
    }
    assert.deepEqual(await h.read(target), await h.read(source));
  }
});

Deno.test("sqlite: a target that is locked too long is given up, unchanged; the commit can be repeated", async () => {
  await using h = await open(300);
  const source = await h.create("filled");
  const backup = await backUp(h, source);
  const all = { overwrite: true };
  const some = { overwrite: true, ...ONLY("note") };
  for (const [mode, changes] of [["exclusive", all], ["read", all], ["exclusive", some]] as const) {
    const target = await make(h, "CREATE TABLE other (a)");
    const before = await h.read(target);
    const loaded = await load(h, backup, target, changes);
    const holder = await startWriter(pathOf(target), mode);
    const commit = h.adapter.commit(target, loaded, request(h, changes));
    await assertCode("source_locked", commit).finally(holder.stop);
    assert.deepEqual(await h.read(target), before);
    await h.adapter.commit(target, loaded, request(h, changes));
    assert.ok((await h.tables(target)).includes("note"));
  }
});

Deno.test("sqlite: a commit that was aborted while it waited never writes later", async () => {
  await using h = await open();
  const backup = await backUp(h, await h.create("filled"));
  const target = await make(h, "CREATE TABLE other (a)");
  const before = await h.read(target);
  const loaded = await load(h, backup, target, { overwrite: true });
  const holder = await startWriter(pathOf(target), "exclusive");
  const reason = new Error("stopped by a test");
  const stop = new AbortController();
  const commit = h.adapter.commit(target, loaded, request(h, { overwrite: true, signal: stop.signal }));
  await usersOf(pathOf(target), Deno.pid);
  stop.abort(reason);
  await assert.rejects(commit, reason).finally(holder.stop);
  await unused(pathOf(target));
  assert.deepEqual(await h.read(target), before);
});

Deno.test("sqlite: a target that was removed meanwhile is not made again", async () => {
  await using h = await open();
  const backup = await backUp(h, await h.create("filled"));
  const target = await h.create("other");
  const loaded = await load(h, backup, target, { overwrite: true });
  await Deno.remove(pathOf(target));
  await assertCode("not_found", h.adapter.commit(target, loaded, request(h, { overwrite: true })));
  assert.deepEqual(await h.adapter.inspect(target, live()), { state: "missing" });
});

Deno.test("sqlite: a selection keeps the views and triggers that still work, and drops the others", async () => {
  await using h = await open();
  const source = await make(
    h,
    `CREATE TABLE kept (id INTEGER PRIMARY KEY, a); CREATE TABLE gone (a REFERENCES kept);
     CREATE VIEW good AS SELECT a FROM kept; CREATE VIEW bad AS SELECT * FROM gone;
     CREATE VIEW worse AS SELECT * FROM bad;
     CREATE TRIGGER fine AFTER INSERT ON kept BEGIN UPDATE kept SET a = 1 WHERE id = new.id; END;
     CREATE TRIGGER broken AFTER UPDATE OF a ON kept BEGIN DELETE FROM gone; END;
     CREATE TRIGGER instead INSTEAD OF DELETE ON good BEGIN DELETE FROM gone; END;
     INSERT INTO gone VALUES ('${"secret".repeat(10)}')`,
  );
  const target = await h.missing();
  const backup = await backUp(h, source, { tables: [], excludeTables: ["gone"] });
  await restore(h, backup, target);
  const names = withDatabase(
    pathOf(target),
    (db) => db.prepare("SELECT name FROM sqlite_schema ORDER BY name").all(),
  );
  assert.deepEqual(names.map((row) => row.name), ["fine", "good", "kept"]);
  assert.ok(
    !new TextDecoder("latin1").decode(backup.bytes).includes("secretsecret"),
    "dropped rows are in the backup",
  );
});

Deno.test("sqlite: a table restored beside others brings its indexes, triggers, row ids and counter", async () => {
  await using h = await open();
  const sql = `
    CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b", c AS (id + 1));
    INSERT INTO t ("a b") VALUES ('x'), ('y'); DELETE FROM t WHERE id = 2;
    CREATE UNIQUE INDEX i ON t ("a b"); CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;
    CREATE TABLE loose (a); INSERT INTO loose (rowid, a) VALUES (10, 'p'), (20, 'q');
    CREATE TABLE shadowed (rowid, _rowid_, oid); INSERT INTO shadowed VALUES (3, 2, 1);
    CREATE TABLE key (a INTEGER PRIMARY KEY DESC, b); INSERT INTO key (rowid, a, b) VALUES (5, 9, 'z');`;
  const source = await make(h, sql);
  const target = await make(
    h,
    `${sql} DELETE FROM t; DELETE FROM loose; CREATE TABLE other (a, UNIQUE (a)); INSERT INTO other VALUES (7);
     CREATE VIEW v AS SELECT * FROM t`,
  );
  const other = readContent(pathOf(target), [], ["other", "v"]);
  const changes = { overwrite: true, ...ONLY("t", "loose", "shadowed", "key") };
  const wanted = readContent(pathOf(source), []);
  for (let time = 0; time < 2; time++) {
    await restore(h, await backUp(h, source), target, changes);
    const tables = [...changes.selection.tables, "sqlite_sequence"];
    assert.deepEqual(readContent(pathOf(target), [], tables), wanted);
    assert.deepEqual(readContent(pathOf(target), [], ["other", "v"]), other);
    const counter = withDatabase(pathOf(target), (db) => db.prepare("SELECT seq FROM sqlite_sequence").all());
    assert.deepEqual(counter.map((row) => row.seq), [2]);
  }
});

Deno.test("sqlite: what a forged dump hides behind the definition of a table or an index is not run", async () => {
  await using h = await open();
  const source = await make(h, "CREATE TABLE t (x); CREATE INDEX i ON t (x); INSERT INTO t VALUES (1)");
  const forge = (name: string, sql: string) =>
    `UPDATE sqlite_schema SET sql = '${sql}' WHERE name = '${name}';`;
  const forged = new DatabaseSync(pathOf(source), UNGUARDED);
  forged.exec(`PRAGMA writable_schema = 1;
    ${forge("t", "CREATE TABLE t (x); CREATE TABLE planted (x)")}
    ${forge("i", "CREATE INDEX i ON t (x); DROP TABLE other")}`);
  forged.close();
  const target = await make(h, "CREATE TABLE other (x); CREATE TABLE t (x)");
  const input = { source: pathOf(source), target: pathOf(target), lockLimitMilliseconds: 1000 };
  await callChild("transplant", input, { signal: live() });
  const names = withDatabase(
    pathOf(target),
    (db) => db.prepare("SELECT name FROM sqlite_schema ORDER BY name").all().map((row) => row.name),
  );
  assert.deepEqual(names, ["i", "other", "t"]);
});

Deno.test("sqlite: tables that do not fit into a database are refused, and nothing is changed", async () => {
  await using h = await open();
  const source = await make(h, "CREATE TABLE a (x); CREATE TABLE t (x); CREATE INDEX i ON t (x)");
  const clashing = [
    "CREATE TABLE other (x); CREATE INDEX i ON other (x)",
    "CREATE TABLE other (x); CREATE VIEW t AS SELECT * FROM other",
    "PRAGMA encoding = 'UTF-16'; CREATE TABLE other (x)",
  ];
  for (const sql of clashing) {
    const target = await make(h, sql);
    const before = await h.read(target);
    const attempt = restore(h, await backUp(h, source), target, { overwrite: true, ...ONLY("a", "t") });
    assert.match((await assertCode("refused", attempt)).hint ?? "", /--into/);
    assert.deepEqual(await h.read(target), before);
  }
});

Deno.test("sqlite: a damaged dump is found before anything is touched", async () => {
  await using h = await open();
  const backup = await backUp(h, await h.create("filled"));
  const target = await h.missing();
  // Only the cells of a page, so that its rows can still be counted.
  backup.bytes.fill(0xff, 4096 * 20 + 2000, 4096 * 21);
  await assertCode("verification", load(h, backup, target));
  backup.bytes.fill(0, 0, 16);
  await assertCode("verification", load(h, backup, target));
  assert.deepEqual(await h.leftovers(), []);
});
