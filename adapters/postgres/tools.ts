/** PostgreSQL's client programs, by the version of a server or of a dump. */
import { CairnError } from "../../errors.ts";
import { chooseTools, type ClientTools, findTools, missingTools, type ToolSearch } from "../client_tools.ts";
import type { PostgresOptions } from "./options.ts";

/** Where distributions put them: Debian and its kin, Red Hat and its kin, Homebrew. */
const FOLDERS = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"];

/** All installed releases, the newest first. */
export function installedTools(
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<readonly ClientTools[]> {
  const search: ToolSearch = {
    programs: ["pg_dump", "pg_restore", "psql"],
    folders: [...options.toolFolders, ...FOLDERS],
    version: (printed) => /\(PostgreSQL\) (\d+(?:\.\d+|[a-z]+\d+)?)/.exec(printed)?.[1],
  };
  return findTools(search, signal);
}

/**
 * The oldest release that is not older than `major`, which `what` (a server, a dump) has. Throws `refused` and names the
 * package.
 */
export async function toolsFor(
  major: number,
  what: string,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<ClientTools> {
  const found = await installedTools(options, signal);
  const chosen = chooseTools(found, major);
  if (chosen !== undefined) return chosen;
  throw missingTools(
    `${what} needs the client programs (pg_dump, pg_restore, psql) of PostgreSQL ${major} or newer`,
    found,
    `install postgresql-client-${major} (Debian, Ubuntu), postgresql${major} (Red Hat, with PostgreSQL's own ` +
      `repository) or postgresql@${major} (Homebrew)`,
  );
}

/** Any release, to ask a server for its version: the newest. Throws `refused` when there is none. */
export async function newestTools(options: PostgresOptions, signal: AbortSignal): Promise<ClientTools> {
  const [newest] = await installedTools(options, signal);
  if (newest !== undefined) return newest;
  throw missingTools(
    "PostgreSQL needs its client programs pg_dump, pg_restore and psql",
    [],
    "install postgresql-client (Debian, Ubuntu) or postgresql (Red Hat, Homebrew)",
  );
}

/** The major release in `PostgreSQL 15.18`. Throws `internal` for another text. */
export function majorOf(engineVersion: string): number {
  const major = /^PostgreSQL (\d+)/.exec(engineVersion)?.[1];
  if (major !== undefined) return Number(major);
  throw new CairnError("internal", `"${engineVersion}" is not the version of a PostgreSQL server`);
}
