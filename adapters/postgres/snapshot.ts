/** Looks at a database before its dump: nothing is frozen, the dump itself is of one point in time. */
import type { Access, Adapter, Snapshot } from "../adapter.ts";
import { selectsAll } from "../selection.ts";
import { selectRelations } from "./names.ts";
import type { PostgresOptions } from "./options.ts";
import { requireRights } from "./rights.ts";
import { engineVersion, reach, type Relation, type ServerFacts } from "./server.ts";

/** See `Adapter.snapshot`. Row counts come with the dump, because only that is of its point in time. */
export async function takeSnapshot(
  access: Access,
  request: Parameters<Adapter["snapshot"]>[1],
  options: PostgresOptions,
): Promise<Snapshot> {
  const { facts, tools } = await reach(access, options, request.signal);
  const relations = selectRelations(request.selection, facts.relations, access.url);
  requireRights(facts, relations);
  return {
    frozen: false,
    format: "pgdump",
    fingerprint: fingerprintOf(facts, access),
    engineVersion: engineVersion(facts),
    plainBytes: selectsAll(request.selection) ? facts.bytes : selectedBytes(relations, facts),
    tools: { pg_dump: tools.version },
    tables: [],
    warnings: facts.isReplica && selectsAll(request.selection)
      ? ["this is a replica: it has what the primary had a moment ago, without unlogged tables"]
      : [],
  };
}

/** An estimate; where nothing is known of the tables, the whole database is the limit. */
function selectedBytes(relations: readonly Relation[], facts: ServerFacts): number {
  const known = relations.reduce((total, each) => total + each.bytes, 0);
  return known === 0 ? facts.bytes : known;
}

/** The system identifier is made when a cluster is; the oid never changes, not even by a rename. */
function fingerprintOf(facts: ServerFacts, access: Access): string {
  const server = facts.system ?? access.url;
  return `postgres:${server}:${facts.oid}:${facts.database}`;
}
