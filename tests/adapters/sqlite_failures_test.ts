import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Address } from "../../adapters/adapter.ts";
import { parseAddress } from "../../adapters/registry.ts";
import { createSqliteAdapter } from "../../adapters/sqlite/mod.ts";
import { type AdapterHarness, assertCode, live, takeSnapshot } from "../conformance/adapter_harness.ts";
import { usersOf } from "./open_files.ts";
import { openSqliteHarness, startWriter, withDatabase } from "./sqlite_harness.ts";

const LOCK_LIMIT = 400;

function open(journalMode: "wal" | "delete" = "wal"): Promise<AdapterHarness> {
  return openSqliteHarness({
    adapter: createSqliteAdapter({ lockLimitMilliseconds: LOCK_LIMIT }),
    journalMode,
  });
}

function pathOf(address: Address): string {
  return address.url.slice("sqlite:".length);
}

/** Asserts that neither a copy nor a file beside the source is left. */
async function assertNothingLeft(h: AdapterHarness): Promise<void> {
  assert.deepEqual(await h.leftovers(), []);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${h.folder}/copy`)), []);
}

Deno.test("sqlite: a file of 0 bytes is no source, and its error says that it is empty", async () => {
  await using h = await open();
  const source = await h.missing();
  await Deno.writeFile(pathOf(source), new Uint8Array());
  for (const attempt of [() => takeSnapshot(h, source), () => h.adapter.ping(source, live())]) {
    assert.match((await assertCode("source_invalid", attempt())).message, /is empty/);
  }
  await assertNothingLeft(h);
});

Deno.test("sqlite: a file of another kind is no source", async () => {
  await using h = await open();
  for (const content of ["x", "no database ".repeat(1000)]) {
    const source = await h.missing();
    await Deno.writeTextFile(pathOf(source), content);
    assert.match((await assertCode("source_invalid", takeSnapshot(h, source))).message, /no SQLite database/);
  }
  await assertNothingLeft(h);
});

Deno.test("sqlite: a folder is no source and no target", async () => {
  await using h = await open();
  const source = await h.missing();
  await Deno.mkdir(pathOf(source));
  assert.match((await assertCode("source_invalid", takeSnapshot(h, source))).message, /is a folder/);
  await assertCode("refused", h.adapter.inspect(source, live()));
});

Deno.test("sqlite: a source that another process locks is given up at the limit, while timers go on", async () => {
  for (const mode of ["wal", "delete"] as const) {
    await using h = await open(mode);
    const source = await h.create("filled");
    // In WAL mode only such a connection keeps readers out.
    const holder = mode === "delete" ? await startWriter(pathOf(source), "exclusive") : undefined;
    using exclusive = mode === "wal" ? lockExclusively(pathOf(source)) : undefined;
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const start = performance.now();
    try {
      await assertCode("source_locked", takeSnapshot(h, source));
    } finally {
      clearInterval(timer);
      await holder?.stop();
    }
    assert.ok(performance.now() - start < LOCK_LIMIT + 3_500);
    assert.ok(ticks >= LOCK_LIMIT / 10 / 4, `${ticks} ticks`);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${h.folder}/copy`)), []);
    assert.equal(exclusive === undefined, mode === "delete");
  }
});

function lockExclusively(path: string): Disposable {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE held (a); COMMIT");
  return { [Symbol.dispose]: () => db.close() };
}

Deno.test("sqlite: an abort ends the wait for a lock at once", async () => {
  await using h = await openSqliteHarness({ adapter: createSqliteAdapter(), journalMode: "delete" });
  const source = await h.create("filled");
  const holder = await startWriter(pathOf(source), "exclusive");
  const stop = new AbortController();
  const reason = new Error("stopped by a test");
  try {
    const folder = await Deno.makeTempDir({ dir: h.folder });
    const selection = { tables: [], excludeTables: [] };
    const snapshot = h.adapter.snapshot(source, { folder, selection, signal: stop.signal, progress() {} });
    await usersOf(pathOf(source), Deno.pid);
    const start = performance.now();
    stop.abort(reason);
    await assert.rejects(snapshot, reason);
    assert.ok(performance.now() - start < 5_000);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await holder.stop();
  }
});

Deno.test("sqlite: damaged pages are found in the copy", async () => {
  await using h = await open("delete");
  const source = await h.create("filled");
  using file = await Deno.open(pathOf(source), { write: true });
  await file.seek(4096 * 4, Deno.SeekMode.Start);
  await file.write(new Uint8Array(4096).fill(0xa5));
  const error = await assertCode("source_damaged", takeSnapshot(h, source));
  assert.match(error.hint ?? "", /last good backup/);
  await assertNothingLeft(h);
});

Deno.test("sqlite: a damaged schema and a cut file are damage, not a defect", async () => {
  await using h = await open("delete");
  const cut = await h.create("filled");
  await Deno.truncate(pathOf(cut), 4096 * 3);
  await assertCode("source_damaged", takeSnapshot(h, cut));
  const broken = await h.create("filled");
  using file = await Deno.open(pathOf(broken), { write: true });
  await file.seek(100, Deno.SeekMode.Start);
  await file.write(new Uint8Array(3000).fill(0xa5));
  await assertCode("source_damaged", takeSnapshot(h, broken));
  await assertNothingLeft(h);
});

Deno.test("sqlite: rows that break a constraint are a warning, not damage", async () => {
  await using h = await open("delete");
  const source = await h.create("bare");
  withDatabase(
    pathOf(source),
    (db) =>
      db.exec(`CREATE TABLE t (a CHECK (a > 0), b); PRAGMA ignore_check_constraints = 1;
      INSERT INTO t VALUES (-1, NULL); PRAGMA writable_schema = 1;
      UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a CHECK (a > 0), b NOT NULL)' WHERE name = 't'`),
  );
  const snapshot = await takeSnapshot(h, source);
  assert.match(snapshot.warnings.join("\n"), /NULL value in t\.b/);
  assert.deepEqual(snapshot.tables, [{ name: "t", rows: 1 }]);
});

Deno.test("sqlite: what only the program of a database understands is a warning, not damage", async () => {
  await using h = await open("delete");
  const source = await h.create("filled");
  withDatabase(
    pathOf(source),
    (db) =>
      db.exec(`CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA writable_schema = 1;
      INSERT INTO sqlite_schema VALUES ('table', 'foreign', 'foreign', 0, 'CREATE VIRTUAL TABLE "foreign" USING vec0(a)');
      UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a COLLATE german)' WHERE name = 't';
      CREATE INDEX i ON account (balance);
      UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON account (balance COLLATE german)' WHERE name = 'i'`),
  );
  const snapshot = await takeSnapshot(h, source);
  const names = snapshot.tables.map((table) => table.name);
  assert.ok(names.includes("note") && names.includes("t"), names.join());
  assert.match(snapshot.warnings.join("\n"), /"foreign" were not counted: no such module/);
  assert.match(snapshot.warnings.join("\n"), /"account" was not checked: no such collation sequence/);
});

Deno.test("sqlite: a source that may not be read says so", async () => {
  await using h = await open("delete");
  const source = await h.create("filled");
  await Deno.chmod(pathOf(source), 0o000);
  assert.equal(await codeAsOrdinaryUser(source, h.folder), "permission");
});

Deno.test("sqlite: a WAL database in a folder that may not be written to says so", async () => {
  await using h = await open("wal");
  const source = await h.create("filled");
  const folder = pathOf(source).replace(/\/[^/]*$/, "");
  await Deno.chmod(folder, 0o500);
  try {
    assert.equal(await codeAsOrdinaryUser(source, h.folder), "permission");
  } finally {
    await Deno.chmod(folder, 0o700);
  }
  await assertNothingLeft(h);
});

/** The code with which a snapshot fails when root's right to read and write everything is taken away. */
async function codeAsOrdinaryUser(source: Address, folder: string): Promise<string> {
  const script = `
    const { createSqliteAdapter } = await import(${
    JSON.stringify(new URL("../../adapters/sqlite/mod.ts", import.meta.url).href)
  });
    const [url, folder] = Deno.args;
    const selection = { tables: [], excludeTables: [] };
    await Deno.mkdir(folder + "/copy");
    const request = { folder: folder + "/copy", selection, signal: new AbortController().signal, progress() {} };
    await createSqliteAdapter().snapshot({ engine: "sqlite", url }, request).then(
      () => console.log("done"),
      (error) => console.log(error.code, error.hint ? "" : "(without a hint)"),
    );`;
  const deno = [Deno.execPath(), "eval", "--no-config", "--no-lock", script, source.url, folder];
  const dropped = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", ...deno];
  const [program = "", ...args] = Deno.uid() === 0 ? dropped : deno;
  const { stdout, stderr } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

Deno.test("sqlite: a full disk leaves no copy", { ignore: !await canMount() }, async () => {
  await using h = await open();
  const source = await h.create("filled");
  const folder = `${h.folder}/small`;
  await Deno.mkdir(folder);
  await run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
  try {
    await assertCode("no_space", takeSnapshot(h, source, undefined, "small"));
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await run("umount", folder);
  }
});

async function canMount(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir();
  try {
    await run("mount", "-t", "tmpfs", "tmpfs", folder);
    await run("umount", folder);
    return true;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder);
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

Deno.test("sqlite: a child that is killed is an error, and leaves no copy", async () => {
  await using h = await openSqliteHarness({ adapter: createSqliteAdapter(), journalMode: "delete" });
  const source = await h.create("filled");
  const holder = await startWriter(pathOf(source), "exclusive");
  try {
    const snapshot = takeSnapshot(h, source);
    const [child] = await usersOf(pathOf(source), Deno.pid);
    if (child !== undefined) Deno.kill(child, "SIGKILL");
    const error = await assertCode("tool_failed", snapshot);
    assert.match(error.message, /SIGKILL/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${h.folder}/copy`)), []);
  } finally {
    await holder.stop();
  }
});

Deno.test("sqlite: an address is the real path, also of a file that is still to come", async () => {
  await using h = await open();
  const source = await h.create("filled");
  await Deno.symlink(pathOf(source), `${h.folder}/link.db`);
  assert.deepEqual(await parseAddress(`${h.folder}/link.db`), source);
  assert.deepEqual(await parseAddress(`sqlite:${h.folder}/./link.db`), source);
  assert.deepEqual(await parseAddress(`sqlite://${h.folder}/link.db`), source);
  await Deno.symlink(h.folder, `${h.folder}/folder`);
  assert.deepEqual(await parseAddress(`${h.folder}/folder/new.db`), {
    engine: "sqlite",
    url: `sqlite:${h.folder}/new.db`,
  });
  await assertCode("not_found", parseAddress(`${h.folder}/none/new.db`));
  for (
    const wrong of [
      "",
      "sqlite:",
      ":memory:",
      "sqlite::memory:",
      "mysql://h/d",
      "gopher://x",
    ]
  ) {
    await assertCode("usage", parseAddress(wrong));
  }
  assert.match(
    (await assertCode("usage", parseAddress("mongodb://h/d"))).message,
    /is not part of this version yet/,
  );
});
