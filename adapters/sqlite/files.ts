/** Files of a database and what SQLite puts beside them. */
import { CairnError, toCairnError } from "../../errors.ts";

/** What SQLite may leave beside a database file. */
export const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** Removes database files with their companions; what is not there is fine. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const suffix of ["", ...COMPANIONS]) await removeIfThere(path + suffix);
  }
}

/** Removes a file and tells whether it was there. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What tells a file from every other one, also from one that got its inode number later. */
export type Identity = { readonly device: string; readonly inode: string; readonly born: string };

/** The identity of what stands at a path (not followed, should it be a link), or undefined when nothing does. */
export async function identityOf(path: string): Promise<Identity | undefined> {
  try {
    const { dev, ino, birthtime } = await Deno.lstat(path);
    return { device: String(dev), inode: String(ino), born: String(birthtime?.getTime() ?? 0) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** True when both are the same file. */
export function sameFile(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode &&
    a.born === b.born;
}

/** The error of a folder in which the target cannot be written; any other one stays as it is. */
export function cannotWrite(path: string, error: unknown): unknown {
  if (error instanceof CairnError) return error;
  if (toCairnError(error).code === "no_space") {
    return new CairnError("no_space", `${path} cannot be written: no space left on the device`, {
      hint: "free some space and resume the run",
      cause: error,
    });
  }
  if (!(error instanceof Deno.errors.PermissionDenied)) return error;
  return new CairnError("permission", `${path} cannot be written: permission denied`, {
    hint: "choose a folder that this user may write to, or run as its owner",
    cause: error,
  });
}
