/** Turns what a person typed, with the configuration behind it, into addresses, stores and jobs. */
import { isAbsolute, join, resolve } from "node:path";
import type { Config, DatabaseConfig } from "../config/config.ts";
import { nearest } from "../near.ts";
import { CairnError } from "../errors.ts";
import { addressOf, shortName } from "../steps/address.ts";
import { checkLabel, deriveLabel } from "../steps/artifact.ts";
import { openCatalog } from "../steps/catalog.ts";
import type { Database, LabelOrigin } from "../steps/job.ts";
import type { Output } from "./output.ts";
import { passwordOf } from "./password.ts";

/** Where backups go when neither the command line nor the configuration says. */
const DEFAULT_STORE = "./backups";

/** A database that a person named. */
export interface ChosenDatabase {
  readonly address: Database;
  readonly config: DatabaseConfig | undefined;
  readonly label: string;
  readonly labelOrigin: LabelOrigin;
}

/** The database behind a name in the configuration, a URL or a path. Throws `not_found` and names a near one. */
export async function chooseDatabase(
  config: Config,
  text: string,
  givenLabel: string | undefined,
  output: Output,
): Promise<ChosenDatabase> {
  const known = config.databases.get(text);
  if (known === undefined) await requireThing(config, text);
  const address = await openable(known, text, output);
  if (givenLabel !== undefined) {
    return { address, config: known, label: checkLabel(givenLabel), labelOrigin: "given" };
  }
  if (known !== undefined) {
    return { address, config: known, label: known.label ?? text, labelOrigin: "configured" };
  }
  return { address, config: known, label: deriveLabel(shortName(address)), labelOrigin: "derived" };
}

/** A word without a scheme or a slash that is no file may be a mistyped name. */
async function requireThing(config: Config, text: string): Promise<void> {
  if (/^[a-z][a-z0-9+.-]*:/.test(text) || await Deno.lstat(text).then(() => true, () => false)) return;
  const names = [...config.databases.keys()];
  const near = nearest(text, names);
  const where = config.file === undefined ? "there is no configuration" : `no such name in ${config.file}`;
  throw new CairnError("not_found", `nothing is called "${text}": ${where}, no such file`, {
    hint: near === undefined
      ? "give the path of an SQLite file, or a name from cairn.yaml"
      : `did you mean "${near}"?`,
  });
}

/** Where a restore goes: like a database, but it need not exist. */
export async function chooseTarget(config: Config, text: string, output: Output): Promise<Database> {
  return await openable(config.databases.get(text), text, output);
}

/** The address of a database with the reference to its password, which never stays in the address. */
async function openable(
  known: DatabaseConfig | undefined,
  text: string,
  output: Output,
): Promise<Database> {
  const { url, reference } = passwordOf(known, text, output);
  const address = await addressOf(url);
  const password = reference(address);
  return password === undefined ? address : { ...address, password };
}

/** The store that a word means: a name in the configuration, a URL or a folder. */
export function chooseStore(config: Config, text: string): string {
  return config.stores.get(text) ?? (/^[a-z][a-z0-9+.-]*:/.test(text) ? text : resolve(text));
}

/** The store to write to: the one asked for, the database's, the first one configured, or `./backups`. */
export function storeToWrite(
  config: Config,
  asked: readonly string[],
  database: DatabaseConfig | undefined,
): string {
  if (asked.length > 1) {
    throw new CairnError("usage", "only one --to can be given: copies to further stores do not exist yet", {
      hint: "back up once for each store",
    });
  }
  const [first] = config.stores.values();
  return chooseStore(config, asked[0] ?? database?.store ?? first ?? DEFAULT_STORE);
}

/**
 * The stores to look into: the one asked for, or all that are configured, those of which the catalog in `home` has artifacts
 * and, where it exists, `./backups`. Throws `not_found` when the folder that was asked for does not exist.
 */
export async function storesToRead(
  config: Config,
  asked: string | undefined,
  home: string,
): Promise<string[]> {
  if (asked !== undefined) {
    const store = chooseStore(config, asked);
    if (!isAbsolute(store) || await isFolder(store)) return [store];
    throw new CairnError("not_found", `there is no folder ${store}`, {
      hint: "give --from the name of a store in cairn.yaml, or the folder that holds the labels",
    });
  }
  const stores = new Set([...config.stores.values(), ...await catalogStores(home)]);
  const folder = resolve(DEFAULT_STORE);
  if (await isFolder(folder)) stores.add(folder);
  return [...stores];
}

/** The stores that the catalog knows; none where there is no catalog. */
async function catalogStores(home: string): Promise<string[]> {
  if (!await Deno.stat(join(home, "catalog.db")).then((stat) => stat.isFile, () => false)) return [];
  const catalog = openCatalog(home);
  try {
    return catalog.stores();
  } finally {
    catalog.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((stat) => stat.isDirectory, () => false);
}
