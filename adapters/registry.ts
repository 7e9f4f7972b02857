/** Which adapter serves which engine, and how an address is written. */
import { CairnError } from "../errors.ts";
import type { Adapter, Address } from "./adapter.ts";
import { sqliteAddress } from "./sqlite/address.ts";
import { createSqliteAdapter, sqliteAdapter } from "./sqlite/mod.ts";

/** The names of the engines whose adapters are still to come, by the schemes of their URLs. */
const COMING: Readonly<Record<string, string>> = {
  postgres: "PostgreSQL",
  postgresql: "PostgreSQL",
  mysql: "MySQL",
  mariadb: "MySQL",
  mongodb: "MongoDB",
  "mongodb+srv": "MongoDB",
};

/** The adapter of an engine, which waits so long for locks that others hold. Throws `usage` when there is none. */
export function adapterFor(engine: string, lockLimitMilliseconds?: number): Adapter {
  if (engine !== sqliteAdapter.engine) throw notYet(engine);
  return lockLimitMilliseconds === undefined ? sqliteAdapter : createSqliteAdapter({ lockLimitMilliseconds });
}

/**
 * Reads what a person wrote: `sqlite:PATH`, the path of an SQLite file, or the URL of a server.
 *
 * A path becomes absolute and real; it need not exist, but its folder must (`not_found`). Throws `usage` for
 * anything else.
 */
export async function parseAddress(text: string): Promise<Address> {
  const scheme = /^([a-z][a-z0-9+.-]*):(?=\/\/)|^(sqlite):/i.exec(text);
  const name = (scheme?.[1] ?? scheme?.[2] ?? "sqlite").toLowerCase();
  if (name !== "sqlite") throw notYet(name);
  return await sqliteAddress(scheme === null ? text : text.slice(name.length + 1));
}

function notYet(engine: string): CairnError {
  const coming = Object.hasOwn(COMING, engine) ? COMING[engine] : undefined;
  if (coming !== undefined) {
    return new CairnError("usage", `${coming} is not part of this version yet`, {
      hint: "this version backs up SQLite: give the path of a file, or sqlite:PATH",
    });
  }
  return new CairnError("usage", `"${engine}" is no database engine that Cairn knows`, {
    hint: "give the path of an SQLite file, or sqlite:PATH",
  });
}
