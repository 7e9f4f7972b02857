import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../engine/database.ts";
import { openEngine } from "../../engine/engine.ts";
import { rejection, scratch } from "./scratch.ts";

const patient = { patienceMilliseconds: 30_000, mountinfo: "" };

Deno.test("the database and all that SQLite puts beside it are private and durable", async () => {
  await using folder = await scratch();
  const state = `${folder.path}/a/state`;
  const database = await openDatabase(state, patient);
  await database.transaction(() => database.connection.exec("CREATE TABLE probe (x) "));
  const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await mode(state), 0o700);
  for (const name of ["control.db", "control.db-wal", "control.db-shm"]) {
    assert.equal(await mode(`${state}/${name}`), 0o600, name);
  }
  const pragma = (name: string) =>
    Object.values(database.connection.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.deepEqual(["journal_mode", "synchronous", "foreign_keys", "busy_timeout"].map(pragma), [
    "wal",
    2,
    1,
    50,
  ]);
  database.close();
});

Deno.test("a state folder on a network file system is refused", async () => {
  await using folder = await scratch();
  const error = await rejection(
    openEngine({ folder: folder.path, workflows: [], mountinfo: "1 0 0:1 / / rw - nfs4 server:/ rw" }),
    "refused",
  );
  assert.match(error.message, /nfs4/);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("a newer schema is left alone", async () => {
  await using folder = await scratch();
  (await openDatabase(folder.path, patient)).close();
  withDatabase(folder.path, (database) => database.exec("PRAGMA user_version = 99"));
  const error = await rejection(openDatabase(folder.path, patient), "newer_version");
  assert.match(error.message, /schema 99/);
  withDatabase(folder.path, (database) => {
    assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, 99);
  });
});

Deno.test("a damaged file is reported with what is lost and what is not", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/control.db`;
  await Deno.writeTextFile(path, "this is no database".repeat(1000));
  const error = await rejection(openDatabase(folder.path, patient), "state_damaged");
  assert.match(error.hint ?? "", /backups are not affected.*control\.db\* away/);
});

Deno.test("damage within the file is reported when it is met", async () => {
  await using folder = await scratch();
  (await openDatabase(folder.path, patient)).close();
  const path = `${folder.path}/control.db`;
  const { size } = await Deno.stat(path);
  {
    using file = await Deno.open(path, { read: true, write: true });
    await file.seek(4096, Deno.SeekMode.Start);
    await file.write(new Uint8Array(size - 4096).fill(0xff));
  }
  await using engine = await openEngine({ folder: folder.path, workflows: [] });
  await rejection(engine.runs(), "state_damaged");
});

Deno.test("the tables of another program are not written to", async () => {
  await using folder = await scratch();
  withDatabase(folder.path, (database) => database.exec("CREATE TABLE theirs (x)"));
  await rejection(openDatabase(folder.path, patient), "state_damaged");
});

Deno.test("a lock held elsewhere is waited for without freezing the process, and not for ever", async () => {
  await using folder = await scratch();
  const database = await openDatabase(folder.path, { patienceMilliseconds: 250, mountinfo: "" });
  const other = new DatabaseSync(`${folder.path}/control.db`);
  other.exec("BEGIN IMMEDIATE");
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 5);
  const write = () => database.transaction(() => database.connection.exec("PRAGMA user_version = 1"));
  const error = await rejection(write(), "busy");
  clearInterval(ticking);
  assert.match(error.message, /control\.db is locked/);
  assert(ticks >= 3, `the event loop turned ${ticks} times`);
  assert.equal(database.once(() => database.connection.exec("PRAGMA user_version = 1")), null);
  const waiting = write();
  other.exec("COMMIT");
  await waiting;
  other.close();
  database.close();
});

Deno.test("a transaction that fails changes nothing and leaves the connection usable", async () => {
  await using folder = await scratch();
  const database = await openDatabase(folder.path, patient);
  const insert = (id: string) =>
    database.connection.exec(`INSERT INTO run_data (run, input) VALUES ('${id}', '{}')`);
  await assert.rejects(
    database.transaction(() => {
      database.connection.exec("PRAGMA defer_foreign_keys = ON");
      insert("a");
      throw new Error("no");
    }),
    /no/,
  );
  await assert.rejects(database.transaction(() => insert("b")), /FOREIGN KEY/);
  assert.equal(database.connection.prepare("SELECT count(*) AS n FROM run_data").get()?.n, 0);
  database.close();
});

function withDatabase(folder: string, use: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(`${folder}/control.db`);
  use(database);
  database.close();
}
