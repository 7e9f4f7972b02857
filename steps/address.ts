/** Addresses of databases, for those who may not know the adapters. */
import type { Address } from "../adapters/adapter.ts";
import { parseAddress, shortName, splitPassword } from "../adapters/registry.ts";

/** Where a database is, without any secret. */
export type DatabaseAddress = Address;

export { shortName, splitPassword };

/** The address that a URL or a path means. Throws `usage` for engines that this version does not know. */
export async function addressOf(text: string): Promise<DatabaseAddress> {
  return await parseAddress(text);
}
