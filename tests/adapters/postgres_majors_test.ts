/** Dumps of one release of PostgreSQL in servers of another: upwards and downwards, whatever the newer one has added. */
import assert from "node:assert/strict";
import { createPostgresAdapter } from "../../adapters/postgres/mod.ts";
import { backUp, live, load, restore } from "../conformance/adapter_harness.ts";
import { postgresReleases, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { databaseOf, openPostgresHarness } from "./postgres_harness.ts";

const releases = postgresReleases();
const adapter = createPostgresAdapter({ toolFolders: releases });
const CONTENT = ["account", "note", "log", "event", "counted", "hen"]
  .map((table) => `select t::text as row from ${table} t`).join(" union all ");
const CHECKSUM = `select md5(string_agg(row, ',' order by row)) from (${CONTENT}) rows`;

if (releases.length > 1) {
  const servers: PostgresServer[] = [];
  Deno.test.beforeAll(async () => {
    for (const programs of releases) servers.push(await startPostgres(programs));
  });
  Deno.test.afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  for (const [from, source] of releases.entries()) {
    for (const [to, target] of releases.entries()) {
      if (from === to) continue;
      Deno.test(`postgres: a dump of ${source} is restored by ${target}`, async () => {
        const [old, fresh] = [servers[from], servers[to]];
        assert.ok(old !== undefined && fresh !== undefined);
        await using there = await openPostgresHarness(old, adapter);
        await using here = await openPostgresHarness(fresh, adapter);
        const address = await there.create("filled");
        const backup = await backUp(there, address);
        for (const target of [await here.missing(), await here.create("other")]) {
          await restore(here, backup, target, { overwrite: true });
          const wanted = await old.sql(databaseOf(address), CHECKSUM);
          assert.equal(await fresh.sql(databaseOf(target), CHECKSUM), wanted);
        }
        assert.deepEqual(await here.leftovers(), []);
      });
    }
  }

  Deno.test("postgres: a server newer than all programs is refused before anything is touched", async () => {
    const oldest = createPostgresAdapter();
    const newest = servers.at(-1);
    assert.ok(newest !== undefined);
    await using harness = await openPostgresHarness(newest, adapter);
    const source = await harness.create("filled");
    const backup = await backUp(harness, source);
    await assert.rejects(
      oldest.ping(source, live()),
      /needs the client programs .* PostgreSQL \d+ or newer; found: /,
    );
    await assert.rejects(
      load({ ...harness, adapter: oldest }, backup, await harness.missing()),
      /or newer; found/,
    );
    assert.deepEqual(await harness.leftovers(), []);
  });
}
