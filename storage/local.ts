/**
 * A folder on a disk as a store: `<root>/<key>` is the object, `<root>/.partial` holds what is not one yet.
 *
 * Folders are 0700, files 0600. Symbolic links below the root are never followed: an object or a folder that is one is
 * refused and not listed. The root is made by the first `put`.
 */
import { rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CairnError } from "../errors.ts";
import { syncFolder } from "../streams/durable.ts";
import { folderSegments, isSegment, keySegments } from "./key.ts";
import { type Link, putLocal, removeIfThere, removeLeftovers } from "./local_put.ts";
import { readFileRange } from "./local_read.ts";
import { linked, linkStat, localRoot, PARTIAL, type Root } from "./local_root.ts";
import type { Entry, Store } from "./storage.ts";
import { isMissing, systemCode, systemError } from "./system_error.ts";

const PAGE_ENTRIES = 1000;
/** Why a folder cannot be removed where that does not matter: it is filled, a mount point, or its parent is not ours. */
const FOLDER_STAYS = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EBUSY", "EACCES", "EPERM"];

/** How a local store works; for tests. */
export interface LocalStoreOptions {
  /** How a hard link is made. */
  readonly link?: Link;
}

/** Opens the folder `path` as a store; a relative path is taken from the working folder now. Touches nothing yet. */
export function openLocalStore(path: string, options: LocalStoreOptions = {}): Store {
  const root = localRoot(resolve(path));
  const link = options.link ?? Deno.link;
  let swept = false;

  /** Does the work of one call, and words the system errors it meets. */
  async function call<T>(doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      // When the store itself vanished that is what there is to say, not the name that was not found.
      if (isMissing(error) || (error instanceof CairnError && isMissing(error.cause))) await root.look();
      throw systemError(error, doing);
    }
  }

  /** Before the first change of the store, what killed processes left in it is removed. */
  async function sweep(): Promise<void> {
    if (swept) return;
    swept = true;
    await removeLeftovers(root);
  }

  return {
    url: root.path,
    capabilities: {
      staging: join(root.path, PARTIAL),
      path: (key) => join(root.path, ...objectSegments(key)),
    },
    async put(key, content, mode, { signal } = {}) {
      const segments = objectSegments(key);
      return await call(`cannot write ${key} to ${root.path}`, signal, async () => {
        await sweep();
        return await putLocal(root, segments, content, mode, link, signal);
      });
    },
    async get(key, { signal, offset = 0, length } = {}) {
      const segments = objectSegments(key);
      checkRange(offset, length);
      return await call(`cannot read ${key} in ${root.path}`, signal, async () => {
        const folder = await root.find(segments.slice(0, -1));
        if (folder === undefined) throw new CairnError("not_found", `there is no ${key} in ${root.path}`);
        return await readFileRange(join(folder, segments.at(-1) ?? ""), { offset, length }, signal);
      });
    },
    async stat(key, { signal } = {}) {
      const segments = objectSegments(key);
      return await call(`cannot look at ${key} in ${root.path}`, signal, async () => {
        const info = await statObject(root, segments);
        return info && { bytes: info.size, modifiedAt: info.mtime ?? new Date(0) };
      });
    },
    async list(folder, { signal, after = "", limit = PAGE_ENTRIES } = {}) {
      const segments = folderSegments(folder);
      return await call(`cannot list ${folder || "the root"} of ${root.path}`, signal, async () => {
        const path = segments[0] === PARTIAL ? undefined : await root.find(segments);
        if (path === undefined) return { entries: [] };
        const names = (await namesIn(path)).filter((name) => name > after).sort();
        const shown = segments.length === 0 ? names.filter((name) => name !== PARTIAL) : names;
        const page = shown.slice(0, Math.max(1, limit));
        const entries = await Promise.all(page.map((name) => entryOf(path, name)));
        return {
          entries: entries.filter((entry) => entry !== undefined),
          next: shown.length > page.length ? page.at(-1) : undefined,
        };
      });
    },
    async delete(key, { signal } = {}) {
      const segments = objectSegments(key);
      await call(`cannot delete ${key} in ${root.path}`, signal, async () => {
        await sweep();
        await remove(root, segments);
      });
    },
    close: () => Promise.resolve(),
  };
}

/** The segments of an object's key; the folder of unfinished files holds no objects. */
function objectSegments(key: string): readonly [string, ...string[]] {
  const segments = keySegments(key);
  if (segments[0] === PARTIAL) {
    throw new CairnError("refused", `"${key}" lies in the store's folder for unfinished files`);
  }
  return segments;
}

function checkRange(offset: number, length: number | undefined): void {
  const whole = [offset, length ?? 0].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!whole) throw new RangeError(`a range has whole, non-negative numbers, not ${offset} and ${length}`);
}

/** What `lstat` says of an object; undefined when there is none, or a folder. */
async function statObject(root: Root, segments: readonly string[]): Promise<Deno.FileInfo | undefined> {
  const folder = await root.find(segments.slice(0, -1));
  if (folder === undefined) return undefined;
  const path = join(folder, segments.at(-1) ?? "");
  const info = await linkStat(path);
  if (info?.isSymlink) throw linked(path);
  return info?.isFile ? info : undefined;
}

/** The names in a folder that can be part of a key, but for symbolic links and other oddities. */
async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if ((entry.isFile || entry.isDirectory) && isSegment(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return names;
}

async function entryOf(folder: string, name: string): Promise<Entry | undefined> {
  const info = await linkStat(join(folder, name));
  if (info?.isDirectory) return { kind: "folder", name };
  return info?.isFile ? { kind: "object", name, bytes: info.size } : undefined;
}

/**
 * Removes an object and the folders it leaves empty, durably: a manifest whose deletion were lost in a power failure
 * would point to data that is gone. The same is done when the object is gone, since a killed delete may have got that far.
 */
async function remove(root: Root, segments: readonly string[]): Promise<void> {
  if (!await root.look()) return;
  if (await statObject(root, segments) !== undefined) {
    await removeIfThere(join(root.path, ...segments));
  }
  for (let folder = join(root.path, ...segments.slice(0, -1));; folder = dirname(folder)) {
    if (folder !== root.path && await removeEmptyFolder(folder)) continue;
    try {
      return await syncFolder(folder);
    } catch (error) {
      // A parallel delete emptied it: what is above it now holds the change.
      if (!isMissing(error) || folder === root.path) throw error;
    }
  }
}

/** True when the folder is gone, false when something is in it or it has to stay. */
async function removeEmptyFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    if (FOLDER_STAYS.includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}
