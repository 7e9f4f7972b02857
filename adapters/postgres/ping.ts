/** Reaches a database and tells what it found. */
import type { Access, Ping } from "../adapter.ts";
import type { PostgresOptions } from "./options.ts";
import { installedTools } from "./tools.ts";
import { engineVersion, reach } from "./server.ts";
import { unreadable } from "./rights.ts";

/** See `Adapter.ping`. */
export async function pingDatabase(
  access: Access,
  signal: AbortSignal,
  options: PostgresOptions,
): Promise<Ping> {
  const { facts, tools, latencyMilliseconds } = await reach(access, options, signal);
  const installed = await installedTools(options, signal);
  const missing = unreadable(facts.relations);
  const tables = facts.relations.filter((each) => each.kind === "r").length;
  return {
    engineVersion: engineVersion(facts),
    latencyMilliseconds,
    bytes: facts.bytes,
    facts: [
      `role: ${facts.isReplica ? "replica" : "primary"}`,
      `user: ${facts.user}${facts.isSuperuser ? " (superuser)" : ""}`,
      `tables: ${tables}`,
      missing.length === 0
        ? "rights: enough for a backup"
        : `rights: not enough for a backup: ${missing.join(", ")}`,
      `client programs: ${tools.version} in ${tools.folder}`,
      ...installed.filter((each) => each.version !== tools.version)
        .map((each) => `also found: ${each.version} in ${each.folder}`),
    ],
  };
}
