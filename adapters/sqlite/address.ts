/** Where an SQLite database is: `sqlite:` and an absolute, real path. */
import { basename, dirname, join, resolve } from "node:path";
import { CairnError } from "../../errors.ts";
import type { Address } from "../adapter.ts";

/**
 * Makes the address of a file. The file need not exist; its folder must.
 *
 * Throws `usage` when no file is named, `not_found` when the folder is missing.
 */
export async function sqliteAddress(text: string): Promise<Address> {
  const path = text.startsWith("///") ? text.slice(2) : text;
  if (path === "" || path === ":memory:" || path.startsWith("//")) {
    throw new CairnError("usage", `"${text}" is not the path of an SQLite file`, {
      hint: "give a path, for example app.db or sqlite:/srv/app.db",
    });
  }
  return { engine: "sqlite", url: `sqlite:${await realPathOf(resolve(path))}` };
}

/** The path in an address. Throws `usage` for the address of another engine. */
export function pathOf(address: Address): string {
  if (address.engine === "sqlite" && address.url.startsWith("sqlite:/")) {
    return address.url.slice("sqlite:".length);
  }
  throw new CairnError("usage", `${address.url} is not the address of an SQLite file`);
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    return join(await Deno.realPath(dirname(path)), basename(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CairnError("not_found", `the folder ${dirname(path)} does not exist`, {
      hint: "check the path, or make the folder first",
      cause: error,
    });
  }
}
