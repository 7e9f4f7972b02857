/** Reaches a database and looks at what stands at a target, changing neither. */
import type { Address, Ping, Target } from "../adapter.ts";
import { CairnError } from "../../errors.ts";
import { pathOf } from "./address.ts";
import { callChild } from "./call.ts";
import type { Found, FoundDatabase } from "./messages.ts";
import type { SqliteOptions } from "./options.ts";

/** See `Adapter.ping`. */
export async function pingDatabase(
  address: Address,
  signal: AbortSignal,
  options: SqliteOptions,
): Promise<Ping> {
  const start = performance.now();
  const facts = await callChild("facts", { path: pathOf(address), ...options }, { signal });
  return {
    engineVersion: facts.engineVersion,
    latencyMilliseconds: performance.now() - start,
    bytes: facts.bytes,
    facts: [
      `journal mode: ${facts.journalMode}`,
      `page size: ${facts.pageSize} bytes`,
      `text encoding: ${facts.encoding}`,
      `tables: ${facts.tables}`,
    ],
  };
}

/** See `Adapter.inspect`. Throws `refused` when the target is a folder. */
export async function inspectTarget(
  address: Address,
  signal: AbortSignal,
  options: SqliteOptions,
): Promise<Target> {
  const found = await findTarget(pathOf(address), signal, options);
  if (found.kind === "missing") return { state: "missing" };
  if (found.kind === "other") return { state: "filled", description: "is a file that is no SQLite database" };
  return isEmpty(found) ? { state: "empty" } : { state: "filled", description: `has ${contentOf(found)}` };
}

/** A database that has only views is not empty either. */
export function isEmpty(found: FoundDatabase): boolean {
  return found.tables === 0 && found.views === 0;
}

/** What a database has, in words. */
export function contentOf({ tables, views }: FoundDatabase): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return tables === 0 && views > 0 ? count(views, "view") : count(tables, "table");
}

/** What stands at a path. Throws `refused` when that is a folder. */
export async function findTarget(path: string, signal: AbortSignal, options: SqliteOptions): Promise<Found> {
  signal.throwIfAborted();
  const there = await statOf(path);
  if (there === undefined) return { kind: "missing" };
  if (there.isDirectory) {
    throw new CairnError("refused", `${path} is a folder`, { hint: "name a file in it, for example app.db" });
  }
  return await callChild("inspect", { path, ...options }, { signal });
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
