/** What stands at the target of a restore. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { CairnError } from "../../errors.ts";
import type { Access, Target } from "../adapter.ts";
import type { PostgresOptions } from "./options.ts";
import { identifier, literal, queryJson } from "./psql.ts";
import { reach, type Reached } from "./server.ts";

/** The schema that marks a database as loaded in place, but not yet committed; its comment says by which run. */
const MARKER_SCHEMA = "cairn_restore";

const markerSchema = v.object({ run: v.string(), wasEmpty: v.boolean() });

/** Who loaded a database in place. */
export type Marker = v.InferOutput<typeof markerSchema>;

const contentSchema = v.object({ tables: v.number(), others: v.number(), marker: v.nullable(v.string()) });

/** A database that is there, and what it has. */
export interface Content extends Omit<v.InferOutput<typeof contentSchema>, "marker"> {
  readonly reached: Reached;
  readonly marker: Marker | undefined;
}

const OWN = (catalog: string, oid: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
const USERS = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '${MARKER_SCHEMA}')`;

const CONTENT = `
select json_build_object(
  'tables', (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm', 'f') and ${USERS} and ${OWN("pg_class", "c.oid")}),
  'others',
    (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('v', 'S', 'c') and ${USERS} and ${OWN("pg_class", "c.oid")}) +
    (select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where ${USERS} and ${OWN("pg_proc", "p.oid")}) +
    (select count(*) from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where t.typtype in ('d', 'e', 'r') and ${USERS} and ${OWN("pg_type", "t.oid")}) +
    (select count(*) from pg_namespace n where n.nspname <> 'public' and ${USERS}) +
    (select count(*) from pg_extension where extname <> 'plpgsql') +
    (select count(*) from (select from pg_largeobject_metadata limit 1000) large),
  'marker', (select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = '${MARKER_SCHEMA}'))`;

/** Looks at the database of an address; undefined when the server has none of that name. */
export async function findContent(
  access: Access,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<Content | undefined> {
  let reached: Reached;
  try {
    reached = await reach(access, options, signal);
  } catch (error) {
    if (error instanceof CairnError && error.code === "not_found") return undefined;
    throw error;
  }
  const { marker, ...counts } = v.parse(contentSchema, await queryJson(reached, CONTENT));
  return { ...counts, reached, marker: parseMarker(marker) };
}

/** See `Adapter.inspect`. */
export async function inspectTarget(
  access: Access,
  signal: AbortSignal,
  options: PostgresOptions,
): Promise<Target> {
  const content = await findContent(access, options, signal);
  if (content === undefined) return { state: "missing" };
  return isEmpty(content)
    ? { state: "empty" }
    : { state: "filled", description: `has ${contentOf(content)}` };
}

/** A database that has only views or functions is not empty either. */
export function isEmpty({ tables, others }: Content): boolean {
  return tables + others === 0;
}

/** What a database has, in words. */
export function contentOf({ tables, others }: Content): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return tables === 0 ? count(others, "object") : count(tables, "table");
}

/** SQL that marks a database as loaded by a run. */
export function markSql(marker: Marker): string {
  const name = identifier(MARKER_SCHEMA);
  return `CREATE SCHEMA ${name};\nCOMMENT ON SCHEMA ${name} IS ${literal(JSON.stringify(marker))};\n`;
}

/** SQL that takes the mark away. */
export const UNMARK_SQL = `drop schema if exists ${identifier(MARKER_SCHEMA)} cascade;`;

function parseMarker(text: string | null): Marker | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), markerSchema), text);
  return parsed.success ? parsed.output : undefined;
}

/** The database in which a run makes a new one, before that gets its name. */
export function temporaryDatabase(database: string, run: string): string {
  const hash = createHash("sha256").update(`${run}\0${database}`).digest("hex").slice(0, 12);
  return `${database.replaceAll(/[^A-Za-z0-9_]/g, "_").slice(0, 40)}_cairn_${hash}`;
}

/** Drops a database of a run, whoever is connected to it. `server` is connected to another one. */
export function dropDatabaseSql(name: string): string {
  return `select pg_terminate_backend(pid) from pg_stat_activity where datname = ${literal(name)};\n` +
    `drop database if exists ${identifier(name)};`;
}
