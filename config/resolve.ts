/** Turns what was written into what is meant: camel case, absolute paths, one store. */
import { dirname } from "node:path";
import type { Config, DatabaseConfig } from "./config.ts";
import { absolutePath, isUrl, type ReadVariable } from "./paths.ts";
import type { Parsed } from "./parse.ts";
import type { WrittenDatabase } from "./schema.ts";
import { secretReference } from "./secret.ts";

/** The configuration that was parsed from `file` (absolute); paths are relative to the file's folder. */
export function resolveConfig({ written, storeNames }: Parsed, file: string, read: ReadVariable): Config {
  const folder = dirname(file);
  const path = (text: string) => absolutePath(text, folder, read);
  const place = (text: string) => isUrl(text) ? text : path(text);
  const stores = new Map(storeNames.map((name) => [name, place(written.stores?.[name] ?? "")]));

  function database(from: WrittenDatabase): DatabaseConfig {
    const store = from.store ?? from.stores?.[0];
    return {
      url: sourceUrl(from, path),
      password: from.password === undefined || from.password === "ask"
        ? from.password
        : secretReference(from.password, folder, read),
      label: from.label,
      store: store === undefined || stores.has(store) ? store : place(store),
      compression: from.compression,
      level: from.level,
      encryptTo: from.encrypt_to,
      passphrase: from.passphrase && secretReference(from.passphrase, folder, read),
      tables: from.tables,
      excludeTables: from.exclude_tables,
    };
  }

  return {
    file,
    stores,
    databases: new Map(
      Object.entries(written.databases ?? {}).map(([name, from]) => [name, database(from)]),
    ),
    encryptTo: written.encrypt_to ?? [],
    state: written.state ? path(written.state) : undefined,
    compression: written.compression ?? undefined,
    level: written.level ?? undefined,
  };
}

/** A relative path in `sqlite:app.db` belongs to the file's folder too, not to wherever a command is run. */
function sourceUrl({ url, path }: WrittenDatabase, absolute: (path: string) => string): string {
  const inUrl = /^sqlite:((?!\/|:memory:).+)$/is.exec(url ?? "")?.[1];
  const file = path ?? inUrl;
  return file === undefined ? url ?? "" : `sqlite:${absolute(file)}`;
}
