/** PostgreSQL databases for tests: made, written to, read, removed. */
import type { Adapter, Address } from "../../adapters/adapter.ts";
import { postgresAddress } from "../../adapters/postgres/address.ts";
import { createPostgresAdapter } from "../../adapters/postgres/mod.ts";
import type { AdapterHarness, Writer } from "../conformance/adapter_harness.ts";
import type { PostgresServer } from "../servers/postgres.ts";
import { RICH } from "./postgres_recipe.ts";

let made = 0;

/** A harness on a server; its databases are dropped when it is disposed, the server stays. */
export async function openPostgresHarness(
  server: PostgresServer,
  adapter: Adapter = createPostgresAdapter(),
): Promise<AdapterHarness> {
  const folder = await Deno.makeTempDir();
  const own = new Set<string>();
  const next = () => {
    const name = `test ${made++} "ü"`;
    own.add(name);
    return name;
  };
  const addressOf = (name: string) => postgresAddress(server.url(name));
  return {
    adapter,
    folder,
    selectsOnLoad: false,
    loadsInPlace: true,
    async create(content) {
      const name = next();
      await server.sql("postgres", `create database ${quote(name)}`);
      if (content === "filled") await server.sql(name, RICH);
      if (content === "other") {
        await server.sql(name, "create table other (a int); insert into other values (1)");
      }
      return addressOf(name);
    },
    missing: () => Promise.resolve(addressOf(next())),
    read: (address) => readContent(server, databaseOf(address)),
    async tables(address) {
      const sql =
        `select coalesce(json_agg(case when n.nspname = 'public' then '' else n.nspname || '.' end || relname
        order by relname), '[]') from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_|^information_schema$'`;
      const names: string[] = JSON.parse(await server.sql(databaseOf(address), sql));
      return names;
    },
    total: async (address) =>
      Number(await server.sql(databaseOf(address), "select sum(balance) from account")),
    startWriter: (address) => startWriter(server, databaseOf(address)),
    async leftovers() {
      const databases: string[] = JSON.parse(
        await server.sql("postgres", "select json_agg(datname) from pg_database"),
      );
      const sessions = await server.sql(
        "postgres",
        "select application_name from pg_stat_activity where application_name like 'cairn/%'",
      );
      const marked: string[] = [];
      for (const name of databases.filter((name) => own.has(name))) {
        const mark = await server.sql(
          name,
          "select nspname from pg_namespace where nspname = 'cairn_restore'",
        );
        if (mark !== "") marked.push(`${name}: ${mark}`);
      }
      const strange = databases.filter((name) => /_cairn_/.test(name));
      return [...strange, ...marked, ...sessions === "" ? [] : sessions.split("\n")];
    },
    async [Symbol.asyncDispose]() {
      for (const name of own) {
        await server.sql("postgres", `drop database if exists ${quote(name)} with (force)`);
      }
      const strange = "select datname from pg_database where datname like '%\\_cairn\\_%'";
      for (const name of (await server.sql("postgres", strange)).split("\n").filter(Boolean)) {
        await server.sql("postgres", `drop database ${quote(name)} with (force)`);
      }
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The name of the database of an address. */
export function databaseOf({ url }: Address): string {
  return decodeURIComponent(/^postgres:\/\/[^/]*\/([^?]*)/.exec(url)?.[1] ?? "");
}

/** Everything that `pg_dump` can tell, as text, without what differs from call to call. */
export async function readContent(server: PostgresServer, database: string): Promise<string> {
  const text = await server.run("pg_dump", [
    "--restrict-key=x",
    "-d",
    `dbname='${database.replaceAll(/['\\]/g, "\\$&")}'`,
  ]);
  return text.replaceAll(/^-- Dumped .*$/gm, "");
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Makes transfers from a process of its own, one after the other. */
async function startWriter(server: PostgresServer, database: string): Promise<Writer> {
  const child = new Deno.Command(`${server.programs}/psql`, {
    args: ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database],
    env: { PGHOST: server.socket, PGUSER: "postgres" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const transfer = async () => {
    const [from, to] = [1 + Math.floor(Math.random() * 300), 1 + Math.floor(Math.random() * 300)];
    const sql = `begin; update account set balance = balance - 1 where id = ${from};
      update account set balance = balance + 1 where id = ${to}; commit; select 'done';\n`;
    await writer.write(new TextEncoder().encode(sql));
    const { value } = await lines.read();
    if (value !== "done\n") throw new Error(`the writer answered ${value}`);
  };
  let isStopped = false;
  let count = 0;
  await transfer();
  const work = (async () => {
    for (; !isStopped; count++) await transfer();
  })();
  return {
    async stop() {
      isStopped = true;
      await work;
      await writer.close();
      await lines.cancel();
      const { success, code } = await child.status;
      if (!success) throw new Error(`the writer ended with ${code}`);
      return count + 1;
    },
  };
}
