import { adapterConformance } from "../conformance/adapter.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { openPostgresHarness } from "./postgres_harness.ts";

if (hasPostgres()) {
  let server: PostgresServer;
  Deno.test.beforeAll(async () => {
    server = await startPostgres();
  });
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
  adapterConformance("postgres 15", () => openPostgresHarness(server));
}
