/** The configuration as the rest of the program sees it: found, checked, with absolute paths. */
import type { SecretReference } from "../steps/job.ts";
import { findConfig, type Surroundings } from "./find.ts";

/** How backups are compressed. */
export type Compression = "zstd" | "gzip" | "none";

/** A database that has a name in the configuration. */
export interface DatabaseConfig {
  /** `sqlite:/srv/app.db`: paths are absolute; the URL of a server, without a password. */
  readonly url: string;
  /** Where its password is; `ask` stands for a person at the terminal. */
  readonly password?: SecretReference | "ask" | undefined;
  /** What its backups are called; the database's name when absent. */
  readonly label?: string | undefined;
  /** The name of a store, a URL, or an absolute path. */
  readonly store?: string | undefined;
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Recipients of its own; an empty list means not encrypted. */
  readonly encryptTo?: readonly string[] | undefined;
  readonly passphrase?: SecretReference | undefined;
  readonly tables?: readonly string[] | undefined;
  readonly excludeTables?: readonly string[] | undefined;
}

/** The whole configuration. */
export interface Config {
  /** The file it comes from (absolute); undefined when there is none. */
  readonly file?: string | undefined;
  /** Store URLs or absolute paths, by name, in the order of the file. */
  readonly stores: ReadonlyMap<string, string>;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  /** age recipients for databases that say nothing else. */
  readonly encryptTo: readonly string[];
  /** The state folder (absolute). */
  readonly state?: string | undefined;
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
}

/**
 * Finds and reads the configuration; without a file it is empty. `--config` goes before `CAIRN_CONFIG`, then `cairn.yaml`
 * in the working folder, the user's and the system's. Throws as {@linkcode findConfig}, and `config` for what is wrong in it.
 */
export async function loadConfig(given: Partial<Surroundings> = {}): Promise<Config> {
  const surroundings: Surroundings = {
    flag: given.flag,
    folder: given.folder ?? Deno.cwd(),
    read: given.read ?? ((name) => Deno.env.get(name)),
    systemFile: given.systemFile ?? "/etc/cairn/cairn.yaml",
  };
  const found = await findConfig(surroundings);
  if (found === undefined) return { stores: new Map(), databases: new Map(), encryptTo: [] };
  // Without a file nobody pays for the parser and the schema.
  const { parseConfig } = await import("./parse.ts");
  const { resolveConfig } = await import("./resolve.ts");
  return resolveConfig(parseConfig(found.text, found.shown), found.file, surroundings.read);
}
