/** SQLite: a file, copied while it is in use, and put back without a program noticing. */
import type { Adapter } from "../adapter.ts";
import { commitLoad, discardLoad } from "./commit.ts";
import { dumpFile } from "./dump.ts";
import { loadDump } from "./load.ts";
import type { SqliteOptions } from "./options.ts";
import { inspectTarget, pingDatabase } from "./ping.ts";
import { takeSnapshot } from "./snapshot.ts";

export type { SqliteOptions } from "./options.ts";

const DEFAULTS: SqliteOptions = { lockLimitMilliseconds: 60_000 };

/** Makes an adapter for SQLite. */
export function createSqliteAdapter(given: Partial<SqliteOptions> = {}): Adapter {
  const options = { ...DEFAULTS, ...given };
  return {
    engine: "sqlite",
    ping: (address, signal) => pingDatabase(address, signal, options),
    snapshot: (address, request) => takeSnapshot(address, request, options),
    dump: (_address, snapshot, request) => dumpFile(snapshot, request),
    inspect: (address, signal) => inspectTarget(address, signal, options),
    load: (address, format, plain, request) => loadDump(address, format, plain, request, options),
    commit: (address, loaded, request) => commitLoad(address, loaded, request, options),
    discard: (address, request) => discardLoad(address, request.run),
  };
}

/** The adapter with its defaults. */
export const sqliteAdapter: Adapter = createSqliteAdapter();
