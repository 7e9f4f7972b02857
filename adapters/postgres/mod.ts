/** PostgreSQL: dumped by `pg_dump` from one point in time, and restored in one transaction. */
import type { Adapter } from "../adapter.ts";
import { POSTGRES } from "./address.ts";
import { commitLoad, discardLoad } from "./commit.ts";
import { dumpDatabase } from "./dump.ts";
import { loadDump } from "./load.ts";
import type { PostgresOptions } from "./options.ts";
import { pingDatabase } from "./ping.ts";
import { takeSnapshot } from "./snapshot.ts";
import { inspectTarget } from "./target.ts";

export type { PostgresOptions } from "./options.ts";

const DEFAULTS: PostgresOptions = { toolFolders: [] };

/** Makes an adapter for PostgreSQL. */
export function createPostgresAdapter(given: Partial<PostgresOptions> = {}): Adapter {
  const options = { ...DEFAULTS, ...given };
  return {
    engine: POSTGRES,
    ping: (access, signal) => pingDatabase(access, signal, options),
    snapshot: (access, request) => takeSnapshot(access, request, options),
    dump: (access, snapshot, request) => dumpDatabase(access, snapshot, request, options),
    inspect: (access, signal) => inspectTarget(access, signal, options),
    load: (access, format, plain, request) => loadDump(access, format, plain, request, options),
    commit: (access, loaded, request) => commitLoad(access, loaded, request, options),
    discard: (access, request) => discardLoad(access, request, options),
  };
}

/** The adapter with its defaults. */
export const postgresAdapter: Adapter = createPostgresAdapter();
