/**
 * Files that survive a power loss: what these functions resolve is on the disk, with its name.
 *
 * A crash in the middle leaves at most a temporary file `<name>.~<random>`; the tilde keeps it from ever being
 * taken for an object of a store.
 */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { CairnError } from "../errors.ts";

const READ_BYTES = 1 << 18;

/** How {@linkcode writeDurable} writes. */
export interface WriteDurableOptions {
  /** True: the file must not exist yet. False: an existing one is replaced atomically. */
  readonly create: boolean;
  /** The file's mode, by default 0600. */
  readonly mode?: number;
}

/** Makes the entries of a folder durable: created, renamed and removed names survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Makes the content of a file durable. The name of a new file also needs {@linkcode syncFolder}. */
export async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}

/** Writes all of `bytes` at the file's position: one `write` may take only a part. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/**
 * Writes a whole file so that a reader, even after a power loss, finds the old state or the new one, never a part.
 *
 * Throws `exists` when `create` is asked and the name is taken.
 */
export async function writeDurable(
  path: string,
  bytes: Uint8Array,
  options: WriteDurableOptions,
): Promise<void> {
  const temporary = `${path}.~${crypto.randomUUID().slice(0, 8)}`;
  try {
    {
      using file = await Deno.open(temporary, {
        write: true,
        createNew: true,
        mode: options.mode ?? 0o600,
      });
      await writeAll(file, bytes);
      await file.sync();
    }
    if (options.create) await publishNew(temporary, path);
    else await Deno.rename(temporary, path);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Gives a finished file its name unless that is taken (`exists`); the temporary name is gone afterwards. The folders are for
 * the caller to sync.
 */
export async function publishNew(temporary: string, path: string): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw taken(path, error);
    // FAT and some network file systems have no hard links and answer EPERM or ENOTSUP.
    const noLinks = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotSupported;
    if (!noLinks) throw error;
    if (await isThere(path)) throw taken(path, error);
    await Deno.rename(temporary, path);
    return;
  }
  await Deno.remove(temporary);
}

function taken(path: string, cause: unknown): CairnError {
  return new CairnError("exists", `the file ${path} exists already`, { cause });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Reads a file once and tells its size and its SHA-256 (lower-case hexadecimal). */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(READ_BYTES);
  let bytes = 0;
  while (true) {
    signal?.throwIfAborted();
    const count = await file.read(buffer);
    if (count === null) return { bytes, sha256: hash.digest("hex") };
    hash.update(buffer.subarray(0, count));
    bytes += count;
  }
}

/**
 * Makes a folder and its missing parents with mode 0700, durably. Folders that exist are left as they are. The folder
 * `within`, and what is above it, is not made: it may be the place where a disk was mounted that is gone.
 *
 * Throws `refused` when a name on the way is taken by a file, and the system's error when `within` is missing.
 */
export async function makePrivateFolder(path: string, within?: string): Promise<void> {
  const whole = resolve(path);
  const parent = dirname(whole);
  if (await isFolder(whole)) return;
  const stays = within !== undefined && parent === resolve(within);
  if (parent !== whole && !stays) await makePrivateFolder(parent, within);
  try {
    await Deno.mkdir(whole, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in the meantime.
    if (error instanceof Deno.errors.AlreadyExists && await isFolder(whole)) return;
    // Or removed the parent, which was empty still.
    const isParentGone = error instanceof Deno.errors.NotFound && !stays && !await isFolder(parent);
    if (isParentGone) return await makePrivateFolder(whole, within);
    throw error;
  }
  await syncFolder(parent);
}

/** False when nothing is there; a file in the place of one of its parents is found when that one is asked for. */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await Deno.stat(path)).isDirectory) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
  throw new CairnError("refused", `${path} should be a folder but is a file`, {
    hint: "remove the file, or choose another folder",
  });
}
