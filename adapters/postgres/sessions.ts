/** The sessions of loads on a server: named after their run, so that those that a killed process left are found. */
import { createHash } from "node:crypto";
import { type Asked, literal, runSql } from "./psql.ts";

/** The server cuts names after 63 bytes. */
const MAX_RUN_CHARACTERS = 40;
const PATIENCE_SECONDS = 20;

/** What the names of all sessions of a run begin with. */
function prefixOf(run: string): string {
  const clean = run.replaceAll(/[^A-Za-z0-9._@-]/g, "_");
  if (clean === run && run.length <= MAX_RUN_CHARACTERS) return `cairn/${run}/`;
  const hash = createHash("sha256").update(run).digest("hex").slice(0, 8);
  return `cairn/${clean.slice(0, MAX_RUN_CHARACTERS - 9)}-${hash}/`;
}

/** The name of the session of a load. */
export function sessionName(run: string, generation: number | undefined): string {
  return `${prefixOf(run)}${generation ?? 0}`;
}

/** Ends all sessions of a run and waits until they are gone, and their locks with them. */
export async function endSessions(asked: Asked, run: string): Promise<void> {
  const prefix = literal(prefixOf(run));
  const those = `from pg_stat_activity where left(application_name, length(${prefix})) = ${prefix}`;
  await runSql(
    asked,
    `do $cairn$ begin
      for turn in 1..${PATIENCE_SECONDS * 10} loop
        perform pg_stat_clear_snapshot();
        exit when not exists (select ${those});
        perform pg_terminate_backend(pid) ${those};
        perform pg_sleep(0.1);
        if turn = ${
      PATIENCE_SECONDS * 10
    } then raise exception 'sessions of an earlier attempt do not end'; end if;
      end loop;
    end $cairn$;`,
  );
}
