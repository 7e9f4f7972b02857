/** Asks a server by `psql`, which is there wherever `pg_dump` is. */
import { join } from "node:path";
import { CairnError } from "../../errors.ts";
import { type ChildRequest, runChild } from "../child.ts";
import type { Connection } from "./address.ts";
import { toolError } from "./messages.ts";

/** The arguments of every `psql`: nobody's start file, never a question, stop at the first error, bare output. */
export const PSQL_ARGUMENTS: readonly string[] = ["-X", "-w", "-A", "-t", "-v", "ON_ERROR_STOP=1"];

/** A server and the folder of the programs to talk to it with. */
export interface Asked {
  readonly connection: Connection;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Starts a program of the folder against the connection. */
export function clientRequest(
  { connection, folder, signal }: Asked,
  program: string,
  args: readonly string[],
): ChildRequest {
  return { program: join(folder, program), args, environment: connection.environment, signal };
}

/** Nobody's lock makes a question wait for ever. */
const SETTINGS = "set client_min_messages = warning;\nset lock_timeout = '60s';";

/** Runs SQL and returns what it printed. Throws what {@linkcode toolError} makes of a failure. */
export async function runSql(asked: Asked, sql: string): Promise<string> {
  const request = clientRequest(asked, "psql", [...PSQL_ARGUMENTS, "-q", "-f", "-"]);
  const { text, ending } = await runChild(request, `${SETTINGS}\n${sql}\n`);
  if (ending.success) return text.trimEnd();
  throw toolError("psql", ending, asked.connection.shown);
}

/** Runs SQL that prints one JSON value. The caller checks its shape. */
export async function queryJson(asked: Asked, sql: string): Promise<unknown> {
  const text = await runSql(asked, sql);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CairnError("internal", `${asked.connection.shown} answered with something else than JSON`, {
      cause,
    });
  }
}

/** A text as an SQL literal, whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return quoted.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
