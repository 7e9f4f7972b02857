import { createPostgresAdapter } from "../../adapters/postgres/mod.ts";
import { adapterConformance } from "../conformance/adapter.ts";
import { postgresReleases, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { openPostgresHarness } from "./postgres_harness.ts";

const releases = postgresReleases();
const adapter = createPostgresAdapter({ toolFolders: releases });

for (const programs of releases) {
  let server: PostgresServer;
  Deno.test.beforeAll(async () => {
    server = await startPostgres(programs);
  });
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
  adapterConformance(`postgres (${programs})`, () => openPostgresHarness(server, adapter));
}
