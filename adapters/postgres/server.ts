/** What a server tells of itself and of a database. */
import * as v from "valibot";
import { CairnError } from "../../errors.ts";
import type { Access } from "../adapter.ts";
import type { ClientTools } from "../client_tools.ts";
import { type Connection, connectionTo } from "./address.ts";
import type { PostgresOptions } from "./options.ts";
import { type Asked, queryJson } from "./psql.ts";
import { newestTools, toolsFor } from "./tools.ts";

/** Tables, partitions, materialized views, foreign tables and sequences: all that a dump reads. */
const relationSchema = v.object({
  schema: v.string(),
  name: v.string(),
  /** `r`, `p`, `m`, `f` or `S`, as in `pg_class.relkind`. */
  kind: v.string(),
  /** The oid of the partitioned table at the top, for partitions. */
  root: v.nullable(v.number()),
  oid: v.number(),
  /** As the last VACUUM or ANALYZE left it: to ask for the size itself would wait for everybody's locks. */
  bytes: v.number(),
  isReadable: v.boolean(),
  /** True when a policy would hide rows from this user. */
  isFiltered: v.boolean(),
});

const factsSchema = v.object({
  version: v.string(),
  number: v.number(),
  isReplica: v.boolean(),
  bytes: v.number(),
  system: v.nullable(v.string()),
  database: v.string(),
  oid: v.number(),
  user: v.string(),
  isSuperuser: v.boolean(),
  relations: v.array(relationSchema),
});

/** A relation of a database. */
export type Relation = v.InferOutput<typeof relationSchema>;
/** A database and its server. */
export type ServerFacts = v.InferOutput<typeof factsSchema>;

/** A database that answered, and how to ask it further. */
export interface Reached extends Asked {
  readonly facts: ServerFacts;
  readonly tools: ClientTools;
  readonly latencyMilliseconds: number;
}

/** The oldest server that the queries here and pg_dump of today know. */
const OLDEST_MAJOR = 10;

const FACTS = `
select json_build_object(
  'version', current_setting('server_version'),
  'number', current_setting('server_version_num')::int,
  'isReplica', pg_is_in_recovery(),
  'bytes', pg_database_size(current_database()),
  'system', case when has_function_privilege('pg_control_system()', 'execute')
    then (select system_identifier::text from pg_control_system()) end,
  'database', current_database(),
  'oid', (select oid::bigint from pg_database where datname = current_database()),
  'user', current_user,
  'isSuperuser', (select rolsuper from pg_roles where rolname = current_user),
  'relations', coalesce((
    select json_agg(json_build_object(
      'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'oid', c.oid::bigint,
      'root', case when c.relispartition then ROOT end,
      'bytes', (c.relpages + coalesce(t.relpages, 0))::bigint * current_setting('block_size')::int,
      'isReadable', has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
      'isFiltered', row_security_active(c.oid)
    ) order by n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_class t on t.oid = c.reltoastrelid
    where c.relkind in ('r', 'p', 'm', 'f', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
        and d.deptype = 'e')
  ), '[]'))`;

/**
 * Reaches a database, another one on its server if `database` names it, and chooses the client programs for it. Throws
 * `not_found`, `permission`, `unreachable`, or `refused` when no program is as new as the server.
 */
export async function reach(
  access: Access,
  options: PostgresOptions,
  signal: AbortSignal,
  database?: string,
): Promise<Reached> {
  signal.throwIfAborted();
  const connection = connectionTo(access, database);
  const { folder } = await newestTools(options, signal);
  const start = performance.now();
  const number = await versionNumber({ connection, folder, signal });
  const latencyMilliseconds = performance.now() - start;
  const major = Math.floor(number / 10_000);
  if (major < OLDEST_MAJOR) {
    throw new CairnError("refused", `the server of ${access.url} has PostgreSQL ${major}, which is too old`, {
      hint: `Cairn backs up PostgreSQL ${OLDEST_MAJOR} and newer`,
    });
  }
  const tools = await toolsFor(major, `the server of ${access.url} (PostgreSQL ${major})`, options, signal);
  const asked: Asked = { connection, folder: tools.folder, signal };
  const root = major >= 12 ? "pg_partition_root(c.oid)::bigint" : "null::bigint";
  const found = v.safeParse(factsSchema, await queryJson(asked, FACTS.replace("ROOT", root)));
  if (!found.success) {
    throw new CairnError("internal", `${access.url} tells of itself in another way than PostgreSQL does`);
  }
  return { ...asked, facts: found.output, tools, latencyMilliseconds };
}

async function versionNumber(asked: Asked): Promise<number> {
  const number = await queryJson(asked, "select current_setting('server_version_num')::int");
  if (typeof number === "number") return number;
  throw new CairnError("internal", `${asked.connection.shown} does not tell its version`);
}

/** Databases that are there on about every server, to ask for others. */
const MAINTENANCE = ["postgres", "template1"];

/** A connection to the server of an address when the database itself may not exist, or must not be in use. */
export async function reachServer(
  access: Access,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<Reached> {
  let first: unknown;
  for (const database of MAINTENANCE) {
    try {
      return await reach(access, options, signal, database);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CairnError) || !["not_found", "permission"].includes(error.code)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** What a server is called in messages and manifests. */
export function engineVersion(facts: ServerFacts): string {
  return `PostgreSQL ${facts.version.replace(/ .*$/, "")}`;
}

/** The connection to another database of the same server. */
export function elsewhere(
  reached: Reached,
  access: Access,
  database: string,
): Asked & { readonly connection: Connection } {
  return { folder: reached.folder, signal: reached.signal, connection: connectionTo(access, database) };
}
