/** Opens a store by its address. */
import { fileURLToPath } from "node:url";
import { CairnError } from "../errors.ts";
import { openLocalStore } from "./local.ts";
import type { Store } from "./storage.ts";

/** Two letters at least, so that `C:\backups` is a path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;
const REMOTE: Readonly<Record<string, string>> = { s3: "S3", gs: "Google Cloud Storage", az: "Azure Blob" };

/**
 * Opens the store at `url`: a path or a `file:///` URL is a folder. Nothing is reached or made yet.
 *
 * Throws `usage` for an address that is empty, malformed, or of a kind that this version does not know.
 */
// deno-lint-ignore require-await -- remote stores load their library when they are opened
export async function openStore(url: string): Promise<Store> {
  if (url.trim() === "") {
    throw new CairnError("usage", "the address of the store is empty", { hint: "give a folder" });
  }
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return openLocalStore(url);
  if (scheme === "file") return openLocalStore(pathOf(url));
  const remote = REMOTE[scheme];
  if (remote !== undefined) {
    throw new CairnError("usage", `${remote} stores are not part of this version yet`, {
      hint: "use a folder; copy it with a tool of your choice",
    });
  }
  throw new CairnError("usage", `a store cannot be at a "${scheme}:" address`, {
    hint: `give a folder; one whose name begins so is "./${scheme}:…"`,
  });
}

function pathOf(url: string): string {
  // A URL without the slashes is relative to nothing: `file:backups` would silently become `/backups`.
  if (/^file:\/\//i.test(url)) {
    try {
      return fileURLToPath(url);
    } catch {
      // Worded below.
    }
  }
  throw new CairnError("usage", `"${url}" is no address of a folder on this host`, {
    hint: "write file:///var/backups, or just the path",
  });
}
