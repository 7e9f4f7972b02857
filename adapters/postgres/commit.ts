/** Makes a loaded dump visible, and removes what a cancelled restore left. */
import * as v from "valibot";
import { CairnError } from "../../errors.ts";
import type { Access, Loaded, LoadRequest } from "../adapter.ts";
import { connectionTo } from "./address.ts";
import { CLEAN_SQL } from "./clean.ts";
import type { PostgresOptions } from "./options.ts";
import { identifier, literal, queryJson, runSql } from "./psql.ts";
import { reachServer } from "./server.ts";
import { endSessions } from "./sessions.ts";
import { dropDatabaseSql, findContent, temporaryDatabase, UNMARK_SQL } from "./target.ts";

const factsSchema = v.variant("way", [
  v.object({ way: v.literal("rename"), temporary: v.string(), oid: v.number() }),
  v.object({ way: v.literal("in-place") }),
]);

/** See `Adapter.commit`: the new database gets its name, or the mark of a load in place is taken away. */
export async function commitLoad(
  access: Access,
  loaded: Loaded,
  { run, signal }: LoadRequest,
  options: PostgresOptions,
): Promise<void> {
  signal.throwIfAborted();
  const facts = v.parse(factsSchema, loaded.facts);
  if (facts.way === "rename") return await rename(access, facts, signal, options);
  const content = await findContent(access, options, signal);
  if (content?.marker?.run === run) await runSql(content.reached, UNMARK_SQL);
}

async function rename(
  access: Access,
  { temporary, oid }: { readonly temporary: string; readonly oid: number },
  signal: AbortSignal,
  options: PostgresOptions,
): Promise<void> {
  const { database } = connectionTo(access);
  const server = await reachServer(access, options, signal);
  // The oid stays through a rename, so that it tells whether that was done before.
  const now = await queryJson(
    server,
    `select coalesce((select to_json(datname) from pg_database where oid = ${oid}), 'null'::json)`,
  );
  if (now === database) return;
  if (now !== temporary) {
    throw new CairnError("not_found", `the loaded database ${temporary} is gone`, {
      hint: "cancel this restore and start it again",
    });
  }
  const isTaken = await queryJson(
    server,
    `select count(*) from pg_database where datname = ${literal(database)}`,
  );
  if (isTaken !== 0) {
    throw new CairnError("target_exists", `${access.url} was made by somebody while it was being restored`, {
      hint: "rename or drop it and resume the restore, or cancel it and restore to another name",
    });
  }
  await runSql(server, `alter database ${identifier(temporary)} rename to ${identifier(database)};`);
}

/** See `Adapter.discard`. */
export async function discardLoad(
  access: Access,
  { run, signal }: { readonly run: string; readonly signal: AbortSignal },
  options: PostgresOptions,
): Promise<void> {
  const server = await reachServer(access, options, signal);
  const temporary = temporaryDatabase(connectionTo(access).database, run);
  await endSessions(server, run);
  await runSql(server, dropDatabaseSql(temporary));
  const content = await findContent(access, options, signal);
  if (content?.marker?.run !== run) return;
  // What the database had before is gone since the load committed: a whole restored database is better than none.
  await runSql(content.reached, content.marker.wasEmpty ? `begin;\n${CLEAN_SQL}\ncommit;` : UNMARK_SQL);
}
