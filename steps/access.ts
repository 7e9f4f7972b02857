/** Opens databases: the address of a job with the password behind its reference. */
import type { Access } from "../adapters/adapter.ts";
import type { Environment } from "./environment.ts";
import type { Database } from "./job.ts";
import { resolveSecret } from "./secret.ts";

/**
 * The access to a database, for one call of its adapter. The password is fetched anew each time, so that one that was
 * changed meanwhile is heeded. Throws as {@linkcode resolveSecret}.
 */
export async function accessTo(environment: Pick<Environment, "ask">, database: Database): Promise<Access> {
  const { engine, url, password } = database;
  return password === undefined
    ? { engine, url }
    : { engine, url, password: await resolveSecret(password, environment.ask) };
}
