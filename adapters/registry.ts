/** Which adapter serves which engine, and how an address is written. */
import { CairnError } from "../errors.ts";
import type { Adapter, Address } from "./adapter.ts";
import { postgresAddress } from "./postgres/address.ts";
import { postgresAdapter } from "./postgres/mod.ts";
import { sqliteAddress } from "./sqlite/address.ts";
import { createSqliteAdapter, sqliteAdapter } from "./sqlite/mod.ts";

/** The names of the engines whose adapters are still to come, by the schemes of their URLs. */
const COMING: Readonly<Record<string, string>> = {
  mysql: "MySQL",
  mariadb: "MySQL",
  mongodb: "MongoDB",
  "mongodb+srv": "MongoDB",
};

/** The adapter of an engine, which waits so long for locks that others hold. Throws `usage` when there is none. */
export function adapterFor(engine: string, lockLimitMilliseconds?: number): Adapter {
  if (engine === postgresAdapter.engine) return postgresAdapter;
  if (engine !== sqliteAdapter.engine) throw notYet(engine);
  return lockLimitMilliseconds === undefined ? sqliteAdapter : createSqliteAdapter({ lockLimitMilliseconds });
}

/**
 * Reads what a person wrote: `sqlite:PATH`, the path of an SQLite file, or the URL of a server, without a password
 * (see {@linkcode splitPassword}).
 *
 * A path becomes absolute and real; it need not exist, but its folder must (`not_found`). Throws `usage` for
 * anything else.
 */
export async function parseAddress(text: string): Promise<Address> {
  const scheme = /^([a-z][a-z0-9+.-]*):(?=\/\/)|^(sqlite):/i.exec(text);
  const name = (scheme?.[1] ?? scheme?.[2] ?? "sqlite").toLowerCase();
  if (name === "postgres" || name === "postgresql") return postgresAddress(text);
  if (name !== "sqlite") throw notYet(name);
  return await sqliteAddress(scheme === null ? text : text.slice(name.length + 1));
}

/** A URL and the password that stood in it. */
export interface SplitUrl {
  readonly url: string;
  readonly password: string | undefined;
}

/**
 * Takes the password out of the URL of a server, wherever it stands. Everything up to the last `@` before the path belongs to
 * the user and the password, because people forget to encode theirs. Other texts stay as they are.
 */
export function splitPassword(text: string): SplitUrl {
  const [, scheme = "", login = "", rest = ""] =
    /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#]*)@)?(.*)$/is.exec(text) ?? [];
  if (scheme === "") return { url: text, password: undefined };
  const [before = "", query] = rest.split("?", 2);
  const parameters = query?.split("&") ?? [];
  const isPassword = (parameter: string) => /^password=/i.test(parameter);
  const kept = parameters.filter((parameter) => !isPassword(parameter));
  const colon = login.indexOf(":");
  const user = colon < 0 ? login : login.slice(0, colon);
  const written = colon < 0 ? parameters.find(isPassword)?.slice("password=".length) : login.slice(colon + 1);
  return {
    url: scheme + (user === "" ? "" : `${user}@`) + before + (kept.length === 0 ? "" : `?${kept.join("&")}`),
    password: written === undefined || written === "" ? undefined : decoded(written),
  };
}

/** What is no valid encoding was meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a database is called for short, as the base of a label. */
export function shortName({ engine, url }: Address): string {
  const name = url.slice(
    url.lastIndexOf("/", url.indexOf("?") < 0 || engine === "sqlite" ? undefined : url.indexOf("?")) + 1,
  );
  return engine === "sqlite" ? name : decoded(name.replace(/\?.*$/, ""));
}

function notYet(engine: string): CairnError {
  const coming = Object.hasOwn(COMING, engine) ? COMING[engine] : undefined;
  if (coming !== undefined) {
    return new CairnError("usage", `${coming} is not part of this version yet`, {
      hint: "this version backs up SQLite (the path of a file, or sqlite:PATH) and PostgreSQL (postgres://…)",
    });
  }
  return new CairnError("usage", `"${engine}" is no database engine that Cairn knows`, {
    hint: "give the path of an SQLite file, sqlite:PATH, or postgres://user@host/database",
  });
}
