/**
 * The folder of a local store: found, made, watched, and walked without ever leaving it.
 *
 * A store on a removable or network disk can vanish while a run goes on, and its mount point, an empty folder, is still
 * there: writing on would fill the wrong disk. So each call looks at the root first.
 */
import { dirname, join } from "node:path";
import { CairnError } from "../errors.ts";
import { makePrivateFolder, syncFolder } from "../streams/durable.ts";
import { isMissing, systemCode } from "./system_error.ts";

/** The store's folder for unfinished files; never an object, never listed. */
export const PARTIAL = ".partial";

/** The root folder of a local store. */
export interface Root {
  readonly path: string;
  /**
   * True when the root is there, false when it has not been made yet. Throws `unreachable` when it was there during this
   * object's life and is gone, or its file system is.
   */
  look(): Promise<boolean>;
  /**
   * The path of a folder in the store, or undefined when it does not exist. Throws `refused` when a part of it is a
   * symbolic link. (Somebody who can change the store at the very moment between the check and its use can still
   * redirect it: the folders are 0700 for that reason.)
   */
  find(segments: readonly string[]): Promise<string | undefined>;
  /** As `find`, but makes what is missing (0700). The folders' names survive a power loss when it resolves. */
  make(segments: readonly string[]): Promise<string>;
}

/** Watches and walks the store folder `path` (absolute). */
export function localRoot(path: string): Root {
  let device: number | undefined;
  /** Folders whose names this object has made durable; a killed process may have left one that was not. */
  const durable = new Map<string, number | null>();

  async function look(): Promise<boolean> {
    // Taken before the wait: a parallel call may make the root meanwhile.
    const known = device;
    const info = await statOf(path);
    if (info === undefined) {
      if (known !== undefined) throw gone(path);
      return false;
    }
    if (!info.isDirectory) {
      throw new CairnError("refused", `the store ${path} is a file, not a folder`, {
        hint: "choose another folder for the store",
      });
    }
    // Another device is another file system, unless an automounter brought the same one back under another number.
    if (known !== undefined && info.dev !== known && await linkStat(join(path, PARTIAL)) === undefined) {
      throw gone(path);
    }
    device = info.dev;
    return true;
  }

  async function walk(segments: readonly string[], make: boolean): Promise<string | undefined> {
    let folder = path;
    for (const segment of segments) {
      folder = join(folder, segment);
      let info = await linkStat(folder);
      if (info === undefined && make) {
        // Only this one: were the root made anew, a disk that vanished would be filled in its place.
        await makePrivateFolder(folder, dirname(folder)).catch(ignoreMissing);
        info = await linkStat(folder);
      }
      if (info === undefined) return undefined;
      if (info.isSymlink) throw linked(folder);
      if (!info.isDirectory) return make ? refuseFile(folder) : undefined;
      if (make) await settle(folder, info);
    }
    return folder;
  }

  async function settle(folder: string, info: Deno.FileInfo): Promise<void> {
    if (durable.get(folder) === info.ino) return;
    await syncFolder(dirname(folder));
    durable.set(folder, info.ino);
  }

  async function settleRoot(): Promise<void> {
    if (durable.has(path)) return;
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      // A parent that may be passed but not read (0711) was made by somebody else, long ago.
      if (systemCode(error) !== "EACCES") throw error;
    }
    durable.set(path, null);
  }

  return {
    path,
    look,
    find: async (segments) => await look() ? await walk(segments, false) : undefined,
    async make(segments) {
      while (true) {
        if (!await look()) {
          await makePrivateFolder(path);
          await look();
        }
        await settleRoot();
        const folder = await walk(segments, true);
        // Undefined when a parallel delete removed the folder, still empty, at once.
        if (folder !== undefined) return folder;
      }
    },
  };
}

/** What `lstat` says, or undefined when there is nothing. */
export async function linkStat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The refusal of a symbolic link: it may lead out of the store. */
export function linked(path: string): CairnError {
  return new CairnError("refused", `${path} is a symbolic link, which a store never follows`, {
    hint: "replace the link by what it points to",
  });
}

function refuseFile(path: string): never {
  throw new CairnError("refused", `${path} is an object, so nothing can be put below it`);
}

function gone(path: string): CairnError {
  return new CairnError("unreachable", `the store folder ${path} is gone`, {
    hint: "check that its file system is mounted, then resume the run",
  });
}
