/** How tables are called: by their name alone in the schema `public`, with their schema elsewhere. */
import * as v from "valibot";
import type { Selection } from "../adapter.ts";
import { CairnError } from "../../errors.ts";
import { selectsAll, selectTables } from "../selection.ts";
import { type Asked, identifier, queryJson } from "./psql.ts";
import type { Relation } from "./server.ts";

/** A table's name as users write it: `note`, `sales.order`, `"a.b"`. */
export function tableName(schema: string, name: string): string {
  return schema === "public" || schema === "" ? part(name) : `${part(schema)}.${part(name)}`;
}

function part(name: string): string {
  return /[."]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

/** The selection with names in their usual form: `public.note` is `note`. */
export function usualNames(selection: Selection): Selection {
  const usual = (name: string) => name.startsWith("public.") ? name.slice("public.".length) : name;
  return { tables: selection.tables.map(usual), excludeTables: selection.excludeTables.map(usual) };
}

/** The relations that a dump of a selection reads. Throws as {@linkcode selectTables}. */
export function selectRelations(
  selection: Selection,
  relations: readonly Relation[],
  where: string,
): readonly Relation[] {
  if (selectsAll(selection)) return relations;
  const tables = relations.filter((each) => each.kind !== "S");
  const names = tables.map((each) => tableName(each.schema, each.name));
  const kept = new Set(selectTables(usualNames(selection), names, where));
  const chosen = tables.filter((each) => kept.has(tableName(each.schema, each.name)));
  const roots = new Set(chosen.map((each) => each.oid));
  // The partitions of a table are what is in it.
  return tables.filter((each) => chosen.includes(each) || (each.root !== null && roots.has(each.root)));
}

/**
 * The arguments by which pg_dump keeps to a selection: all other tables are excluded, and the views on them. (With `--table` the
 * types and functions that the tables need would be missing.) Names in quotes are no patterns to it.
 *
 * Throws `refused` when a materialized view is selected without the tables it needs.
 */
export async function dumpArguments(
  asked: Asked,
  selection: Selection,
  relations: readonly Relation[],
): Promise<string[]> {
  if (selectsAll(selection)) return [];
  const kept = new Set(selectRelations(selection, relations, asked.connection.shown).map((each) => each.oid));
  const dropped = relations.filter((each) => each.kind !== "S" && !kept.has(each.oid)).map((each) =>
    each.oid
  );
  const gone = v.parse(GONE, await queryJson(asked, goneSql(dropped)));
  const lost = gone.find((each) => kept.has(each.oid));
  if (lost !== undefined) {
    throw new CairnError(
      "refused",
      `${tableName(lost.schema, lost.name)} needs tables that are not selected`,
      {
        hint: "select those too, or leave it out",
      },
    );
  }
  return gone.map((each) => `--exclude-table=${identifier(each.schema)}.${identifier(each.name)}`);
}

const GONE = v.array(v.object({ oid: v.number(), schema: v.string(), name: v.string() }));

/** Relations and all views on them, and on those. */
function goneSql(oids: readonly number[]): string {
  return `
    with recursive gone (oid) as (
      select unnest('{${oids.join(",")}}'::oid[])
      union
      select rule.ev_class from gone
        join pg_depend need on need.refclassid = 'pg_class'::regclass and need.refobjid = gone.oid
          and need.classid = 'pg_rewrite'::regclass
        join pg_rewrite rule on rule.oid = need.objid and rule.ev_type = '1'
    )
    select coalesce(json_agg(json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname)), '[]')
    from gone join pg_class c on c.oid = gone.oid join pg_namespace n on n.oid = c.relnamespace`;
}
