/**
 * Where a PostgreSQL database is: a connection URI of libpq
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), made canonical and without a password.
 */
import { CairnError } from "../../errors.ts";
import type { Access, Address } from "../adapter.ts";

/** The name of the engine, and the scheme of its addresses. */
export const POSTGRES = "postgres";

const DEFAULT_PORT = "5432";

/** The parameters that a URL may have, and the variables of libpq for them. */
const PARAMETERS: Readonly<Record<string, string>> = {
  channel_binding: "PGCHANNELBINDING",
  connect_timeout: "PGCONNECT_TIMEOUT",
  gssencmode: "PGGSSENCMODE",
  host: "PGHOST",
  sslcert: "PGSSLCERT",
  sslcrl: "PGSSLCRL",
  sslkey: "PGSSLKEY",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
};

/** A URL, decoded. Not read by `URL`, which wants a host behind a user, where libpq takes a socket. */
interface Parts {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const URI =
  /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?(\[[0-9a-fA-F:.%]+\]|[^/?#@:,]*)(?::(\d+))?(?:\/([^?#/]*))?(?:\?([^#]*))?$/i;

/**
 * The address that a `postgres:` or `postgresql:` URL means. A password must have been taken out before.
 *
 * Throws `usage`, without showing the URL, when it cannot be read or names no database.
 */
export function postgresAddress(text: string): Address {
  const { user, password, host, port, database, parameters } = parse(text);
  if (password !== "") throw new CairnError("usage", "the URL of a database must not hold a password");
  if (database === "") {
    throw new CairnError("usage", "the URL names no database", {
      hint: "put its name behind the host: postgres://user@host/database",
    });
  }
  for (const [name, value] of parameters) {
    if (!Object.hasOwn(PARAMETERS, name)) {
      throw new CairnError("usage", `the URL of a PostgreSQL database cannot have the parameter "${name}"`, {
        hint: `it may have ${Object.keys(PARAMETERS).join(", ")}`,
      });
    }
    if (name === "host" && host !== "") {
      throw new CairnError("usage", `the URL names two hosts, "${host}" and "${value}"`);
    }
  }
  const encode = (value: string) => encodeURIComponent(value).replaceAll("%2F", "/").replaceAll("%3A", ":");
  const sorted = [...parameters].sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) =>
    `${name}=${encode(value)}`
  );
  const place = host.includes(":") ? `[${host}]` : encodeURIComponent(host);
  return {
    engine: POSTGRES,
    url: "postgres://" + (user === "" ? "" : `${encodeURIComponent(user)}@`) + place +
      (port === "" || port === DEFAULT_PORT ? "" : `:${port}`) + `/${encodeURIComponent(database)}` +
      (sorted.length === 0 ? "" : `?${sorted.join("&")}`),
  };
}

/** A database, as its clients are told of it. */
export interface Connection {
  readonly database: string;
  /** The URL, for messages. */
  readonly shown: string;
  /** Variables of libpq; they hold the password. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How clients reach the database of an address, or another one on its server. Throws `usage` for a foreign address. */
export function connectionTo(access: Access, database?: string): Connection {
  if (access.engine !== POSTGRES) {
    throw new CairnError("usage", `${access.url} is not the address of a PostgreSQL database`);
  }
  const { user, host, port, database: own, parameters } = parse(access.url);
  const name = database ?? own;
  const environment: Record<string, string> = {
    PGDATABASE: name,
    PGCONNECT_TIMEOUT: "10",
    PGCLIENTENCODING: "UTF8",
    PGAPPNAME: "cairn",
  };
  if (host !== "") environment.PGHOST = host;
  if (port !== "") environment.PGPORT = port;
  if (user !== "") environment.PGUSER = user;
  for (const [parameter, value] of parameters) {
    const variable = PARAMETERS[parameter];
    if (variable !== undefined) environment[variable] = value;
  }
  if (access.password !== undefined) environment.PGPASSWORD = access.password;
  return { database: name, shown: access.url, environment };
}

function parse(text: string): Parts {
  try {
    const [, login = "", host = "", port = "", database = "", query = ""] = URI.exec(text) ?? [undefined];
    if (URI.test(text)) {
      const colon = login.includes(":") ? login.indexOf(":") : login.length;
      return {
        user: decodeURIComponent(login.slice(0, colon)),
        password: decodeURIComponent(login.slice(colon + 1)),
        host: decodeURIComponent(host.replace(/^\[(.*)\]$/, "$1")).replace(
          /^[^/].*$/,
          (name) => name.toLowerCase(),
        ),
        port,
        database: decodeURIComponent(database),
        parameters: new Map(new URLSearchParams(query)),
      };
    }
  } catch {
    // Its text is not shown: what makes it unreadable may be a password.
  }
  throw new CairnError("usage", "the URL of the PostgreSQL database cannot be read", {
    hint: "write postgres://user@host:port/database, with special characters as %XX",
  });
}
