import assert from "node:assert/strict";
import type { Address } from "../../adapters/adapter.ts";
import { postgresAddress } from "../../adapters/postgres/address.ts";
import { createArchiveWalker } from "../../adapters/postgres/archive.ts";
import { createPostgresAdapter } from "../../adapters/postgres/mod.ts";
import { toolsFor } from "../../adapters/postgres/tools.ts";
import { CairnError } from "../../errors.ts";
import {
  type AdapterHarness,
  assertCode,
  backUp,
  EVERYTHING,
  live,
  load,
  request,
  restore,
  stalling,
  streamOf,
  takeSnapshot,
} from "../conformance/adapter_harness.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { databaseOf, openPostgresHarness } from "./postgres_harness.ts";

const PASSWORD = `p@s"s/1 ü`;
const LARGE = "create table large as select n, repeat('x', 1000) as text from generate_series(1, 30000) n";

/** The ids of the children of this process with that name. */
async function childrenCalled(name: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    const [, comm, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (comm === name && Number(parent) === Deno.pid) found.push(Number(pid));
  }
  return found;
}

/** Kills the children of that name; one may have ended by itself meanwhile. */
async function killChildren(name: string): Promise<void> {
  for (const pid of await childrenCalled(name)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Waits until this process has a child of that name. */
async function childCalled(name: string): Promise<number> {
  for (let turn = 0; turn < 400; turn++) {
    const [pid] = await childrenCalled(name);
    if (pid !== undefined) return pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail(`no child is called ${name}`);
}

if (hasPostgres()) {
  let server: PostgresServer;
  Deno.test.beforeAll(async () => {
    server = await startPostgres();
    await server.sql(
      "postgres",
      `create role needs_password login password '${PASSWORD}'; create role reader login`,
    );
  });
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

  const test = (behaviour: string, run: (harness: AdapterHarness) => Promise<void>) =>
    Deno.test(`postgres: ${behaviour}`, async () => {
      await using harness = await openPostgresHarness(server);
      await run(harness);
    });
  const as = (address: Address, user: string): Address => ({
    ...address,
    url: address.url.replace("postgres@", `${user}@`),
  });

  test("a dump that is cut anywhere is not accepted, neither when it is made nor when it is loaded", async (h) => {
    const { bytes, snapshot } = await backUp(h, await h.create("filled"));
    const cuts = new Set([0, 1, 10, 100, 1000, bytes.length - 1, bytes.length - 2, bytes.length - 5]);
    for (let cut = 7; cut < bytes.length; cut += 9973) cuts.add(cut);
    for (const cut of cuts) {
      const walker = createArchiveWalker();
      assert.throws(
        () => {
          walker.push(bytes.slice(0, cut));
          walker.end();
        },
        CairnError,
        `cut at ${cut}`,
      );
    }
    const target = await h.missing();
    for (const cut of [0, 1000, Math.floor(bytes.length * 0.7), bytes.length - 1]) {
      const cutOff = { snapshot, bytes: bytes.slice(0, cut) };
      await assertCode("verification", load(h, cutOff, target, {}, streamOf(cutOff.bytes)));
    }
    assert.deepEqual(await h.adapter.inspect(target, live()), { state: "missing" });
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a dump that is cut at any byte, also where a block of data ends, is not accepted", async (h) => {
    const source = await h.create("other");
    await server.sql(
      databaseOf(source),
      "create table more (a text); insert into more values ('x'), ('y'); select lo_from_bytea(1, 'x')",
    );
    const { bytes } = await backUp(h, source);
    for (let cut = 0; cut < bytes.length; cut++) {
      const walker = createArchiveWalker();
      walker.push(bytes.slice(0, cut));
      assert.throws(() => walker.end(), CairnError, `cut at ${cut} of ${bytes.length}`);
    }
  });

  test("a dump goes without its owners and rights where they are not wanted", async (h) => {
    const source = await h.create("bare");
    const sql =
      "create role owning; create table t (a int); grant select on t to owning; alter table t owner to owning";
    await server.sql(databaseOf(source), sql);
    const backup = await backUp(h, source);
    await server.sql(databaseOf(source), "drop owned by owning; drop role owning");
    const target = await h.missing();
    await restore(h, backup, target, { withoutOwners: true });
    assert.equal(
      await server.sql(databaseOf(target), "select tableowner from pg_tables where tablename = 't'"),
      "postgres",
    );
  });

  test("the rows of every table are counted in the dump", async (h) => {
    const source = await h.create("filled");
    const snapshot = await takeSnapshot(h, source);
    const dump = h.adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    await new Response(dump.stream).arrayBuffer();
    const { tables = [] } = await dump.finished;
    for (const { name, rows } of tables) {
      const quoted = /[" ,]/.test(name) ? `"Odd ""Schema"."Table, with a\nbreak"` : name;
      assert.equal(
        rows,
        Number(await server.sql(databaseOf(source), `select count(*) from ${quoted}`)),
        name,
      );
    }
    assert.ok(tables.length >= 10);
  });

  test("a password is needed, wrong or right, and every time the error says which", async (h) => {
    const address = as(await h.create("bare"), "needs_password");
    assert.match((await assertCode("permission", h.adapter.ping(address, live()))).hint ?? "", /PGPASSWORD/);
    const wrong = await assertCode(
      "permission",
      h.adapter.ping({ ...address, password: `${PASSWORD}x` }, live()),
    );
    assert.match(wrong.message, /password authentication failed/);
    assert.ok(!JSON.stringify([wrong.message, wrong.hint, wrong.stack]).includes("s/1"));
    assert.match(
      (await h.adapter.ping({ ...address, password: PASSWORD }, live())).engineVersion,
      /^PostgreSQL 15/,
    );
  });

  test("a server that cannot be reached is told from one that has no such database", async (h) => {
    for (
      const url of [
        "postgres://u@no-such-host.invalid/d",
        "postgres://u@127.0.0.1:1/d",
        `postgres://u@/d?host=${h.folder}`,
      ]
    ) {
      await assertCode("unreachable", h.adapter.ping(postgresAddress(url), live()));
    }
  });

  test("a table that the user may not read is named before anything is dumped", async (h) => {
    const source = await h.create("filled");
    await server.sql(
      databaseOf(source),
      'grant usage on schema "Odd ""Schema" to reader; grant select on all tables in schema public, "Odd ""Schema" to reader; grant select on all sequences in schema public to reader; revoke select on account from reader; grant select on large object 4711, 4712 to reader',
    );
    const reader = as(source, "reader");
    const error = await assertCode("permission", takeSnapshot(h, reader));
    assert.match(error.message, /may not read account; row-level security hides rows of secret/);
    assert.match(error.hint ?? "", /GRANT pg_read_all_data/);
    const ping = await h.adapter.ping(reader, live());
    assert.ok(ping.facts.some((fact) => /not enough for a backup/.test(fact)));
    const selection = { tables: [], excludeTables: ["account", "secret"] };
    await backUp(h, reader, selection);
  });

  test("a right that is lost before the dump fails it", async (h) => {
    const source = await h.create("other");
    await server.sql(databaseOf(source), "grant select on other to reader");
    const reader = as(source, "reader");
    const snapshot = await takeSnapshot(h, reader);
    await server.sql(databaseOf(source), "revoke select on other from reader");
    const dump = h.adapter.dump(reader, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    await assertCode("permission", new Response(dump.stream).arrayBuffer());
    await assertCode("permission", dump.finished);
  });

  test("a dump whose pg_dump is killed is none", async (h) => {
    const source = await h.create("bare");
    await server.sql(databaseOf(source), LARGE);
    const snapshot = await takeSnapshot(h, source);
    const dump = h.adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    const reader = dump.stream.getReader();
    await reader.read();
    await killChildren("pg_dump");
    const error = await assertCode("tool_failed", drain(reader));
    assert.match(error.message, /SIGKILL/);
    await assertCode("tool_failed", dump.finished);
  });

  test("a load whose psql is killed leaves nothing, and its target as it was", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    for (const target of [await h.missing(), await h.create("other")]) {
      const before = await h.adapter.inspect(target, live());
      const half = stalling(backup.bytes.slice(0, Math.floor(backup.bytes.length / 2)), () => {});
      const loading = load(h, backup, target, { overwrite: true }, half);
      loading.catch(() => {});
      // The program that asks first is a psql too; the one that loads is there when pg_restore is.
      await childCalled("pg_restore");
      await killChildren("pg_restore");
      await killChildren("psql");
      await assertCode("tool_failed", loading);
      assert.deepEqual(await h.adapter.inspect(target, live()), before);
    }
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a session that a killed process left is ended before the next load", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.create("other");
    const left = new Deno.Command(`${server.programs}/psql`, {
      args: ["-X", "-q", "-A", "-t", "-d", databaseOf(target)],
      env: { PGHOST: server.socket, PGUSER: "postgres", PGAPPNAME: "cairn/run-1/0" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const input = left.stdin.getWriter();
    await input.write(new TextEncoder().encode("begin; lock table other; select 'locked';\n"));
    const output = left.stdout.getReader();
    await output.read();
    await restore(h, backup, target, { overwrite: true, generation: 2 });
    assert.ok(!(await h.tables(target)).includes("other"));
    await input.write(new TextEncoder().encode("commit;\n")).catch(() => {});
    await input.close().catch(() => {});
    await output.cancel();
    await left.status;
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a load in place whose run is cancelled empties what was empty, and keeps what it has overwritten", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const [bare, other] = [await h.create("bare"), await h.create("other")];
    for (const target of [bare, other]) {
      await load(h, backup, target, { overwrite: true });
      for (let time = 0; time < 2; time++) await h.adapter.discard(target, { run: "run-1", signal: live() });
    }
    assert.deepEqual(await h.adapter.inspect(bare, live()), { state: "empty" });
    assert.deepEqual(await h.read(other), await h.read(source));
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a name that is taken while a restore runs is not overwritten", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.missing();
    const loaded = await load(h, backup, target);
    await server.sql("postgres", `create database "${databaseOf(target).replaceAll('"', '""')}"`);
    await assertCode("target_exists", h.adapter.commit(target, loaded, request(h)));
    await h.adapter.discard(target, { run: "run-1", signal: live() });
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a missing role is told, and nothing is restored", async (h) => {
    const source = await h.create("bare");
    await server.sql(
      databaseOf(source),
      "create role passing; create table t (a int); grant select on t to passing",
    );
    const backup = await backUp(h, source);
    await server.sql(databaseOf(source), "drop owned by passing; drop role passing");
    const target = await h.missing();
    const error = await assertCode("refused", load(h, backup, target));
    assert.match(error.message, /role "passing" does not exist/);
    assert.deepEqual(await h.adapter.inspect(target, live()), { state: "missing" });
    assert.deepEqual(await h.leftovers(), []);
  });

  Deno.test("postgres: programs that are older than the server are refused, with the package and what was found", async () => {
    const wanted = toolsFor(99, "the server", { toolFolders: [] }, live());
    const error = await assertCode("refused", wanted);
    assert.match(
      error.message,
      /PostgreSQL 99 or newer; found: .*15\.\d+ in \/usr\/lib\/postgresql\/15\/bin/,
    );
    assert.match(error.hint ?? "", /postgresql-client-99/);
  });

  Deno.test("postgres: a dump whose server is killed is none", async () => {
    await using other = await startPostgres();
    await other.sql("postgres", LARGE);
    const adapter = createPostgresAdapter();
    const source = postgresAddress(other.url("postgres"));
    const folder = other.socket;
    const snapshot = await adapter.snapshot(source, {
      folder,
      selection: EVERYTHING,
      signal: live(),
      progress() {},
    });
    const dump = adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    const reader = dump.stream.getReader();
    await reader.read();
    await other.kill();
    const error = await drain(reader).then(() => assert.fail("accepted"), (error) => error);
    assert.ok(error instanceof CairnError && error.passing, String(error));
    await assert.rejects(dump.finished, error);
  });
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
