/** What the shell can complete beside commands and options: names, runs, artifacts and files that are there. */
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import type { Session } from "./session.ts";
import { visible } from "./text.ts";

/** A word that fits, and what it means. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What a word stands for. */
export type WordKind = "artifact" | "database" | "file" | "label" | "run" | "store";

const ARGUMENTS: Readonly<Record<string, WordKind>> = {
  artifact: "artifact",
  database: "database",
  run: "run",
};
const OPTIONS: Readonly<Record<string, WordKind>> = {
  config: "file",
  database: "file",
  from: "store",
  home: "file",
  identity: "file",
  into: "database",
  label: "label",
  output: "file",
  "passphrase-file": "file",
  store: "file",
  to: "store",
};
/** A person does not look through more. */
const LIMIT = 50;

/** What an argument of a command, or the value of an option (without its hyphens), stands for. */
export function kindOf(what: "argument" | "option", name: string): WordKind | undefined {
  return what === "argument" ? ARGUMENTS[name] : OPTIONS[name];
}

/**
 * Words of a kind that begin with `start`, as far as they can be told quickly and from this host alone. Never throws,
 * and makes nothing: whatever cannot be read has no candidates.
 */
export async function candidates(
  kind: WordKind,
  start: string,
  session: Session,
): Promise<readonly Candidate[]> {
  try {
    if (kind === "file") return await files(start);
    const config = await session.config();
    switch (kind) {
      case "artifact":
        return await artifacts(session.home);
      case "run":
        return await runs(session.home);
      case "label":
        return await labels(session.home);
      case "database":
        return [...databaseNames(config), ...await files(start)];
      case "store":
        return [...storeNames(config), ...await files(start)];
    }
  } catch {
    // A shell that waits for an answer has no use for an error.
    return [];
  }
}

function databaseNames(config: Config): Candidate[] {
  return [...config.databases.keys()].map((value) => ({ value, description: "database" }));
}

function storeNames(config: Config): Candidate[] {
  return [...config.stores.keys()].map((value) => ({ value, description: "store" }));
}

async function artifacts(home: string): Promise<Candidate[]> {
  if (!await isThere(join(home, "catalog.db"))) return [];
  const { openCatalog } = await import("../steps/catalog.ts");
  const catalog = openCatalog(home);
  try {
    const latest = catalog.allLabels().map((label) => ({
      value: `latest:${label}`,
      description: `newest of ${label}`,
    }));
    const ids = catalog.list({ limit: LIMIT }).map(({ id, label }) => ({ value: id, description: label }));
    return [{ value: "latest", description: "the newest" }, ...latest, ...ids];
  } finally {
    catalog.close();
  }
}

async function labels(home: string): Promise<Candidate[]> {
  if (!await isThere(join(home, "catalog.db"))) return [];
  const { openCatalog } = await import("../steps/catalog.ts");
  const catalog = openCatalog(home);
  try {
    return catalog.allLabels().map((value) => ({ value, description: "label" }));
  } finally {
    catalog.close();
  }
}

async function runs(home: string): Promise<Candidate[]> {
  if (!await isThere(join(home, "control.db"))) return [];
  const { openEngine } = await import("../engine/engine.ts");
  await using engine = await openEngine({ folder: home, workflows: [] });
  const found = await engine.runs({ limit: LIMIT });
  return found.map(({ id, label, status }) => ({ value: id, description: `${label}, ${status}` }));
}

/** Files and folders whose path begins like this; a folder ends with a slash. Hidden ones only when asked for. */
async function files(start: string): Promise<Candidate[]> {
  const folder = start.slice(0, start.lastIndexOf("/") + 1);
  const beginning = start.slice(folder.length);
  const found: Candidate[] = [];
  for await (const entry of Deno.readDir(folder || ".")) {
    if (!entry.name.startsWith(beginning) || visible(entry.name) !== entry.name) continue;
    if (entry.name.startsWith(".") && !beginning.startsWith(".")) continue;
    found.push({ value: `${folder}${entry.name}${entry.isDirectory ? "/" : ""}`, description: "" });
  }
  return found.sort((a, b) => a.value < b.value ? -1 : 1).slice(0, LIMIT);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then((stat) => stat.isFile, () => false);
}
