/**
 * Gives finished content its name in a local store: whole, durable, and never over another object.
 *
 * Content first lies in a file of the store's file system, fsynced; a hard link then gives it its name, which fails when the
 * name is taken. A crash at any point leaves the name absent or the object whole, and at most a `.partial/put-…`.
 */
import { join, resolve, sep } from "node:path";
import { CairnError } from "../errors.ts";
import { hashFile, syncFile, syncFolder, writeAll } from "../streams/durable.ts";
import { linked, linkStat, PARTIAL, type Root } from "./local_root.ts";
import type { Content } from "./storage.ts";
import { isMissing, systemCode, systemError } from "./system_error.ts";

/** Makes a hard link; a parameter because a file system without links is hard to come by in a test. */
export type Link = (from: string, to: string) => Promise<void>;

/** What the system answers where there are no hard links (FAT, some network file systems), or too many of one file. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];
/** What it answers where there are no file locks. */
const NO_LOCKS = ["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOLCK", "EINVAL"];
const LEFTOVER_MILLISECONDS = 24 * 60 * 60 * 1000;

/**
 * Puts content under `segments` below the root, as {@linkcode Store.put} promises.
 *
 * Throws `exists`, or system errors, which the caller words.
 */
export async function putLocal(
  root: Root,
  segments: readonly [string, ...string[]],
  content: Content,
  mode: "create" | "replace",
  link: Link,
  signal: AbortSignal | undefined,
): Promise<"created" | "same"> {
  while (true) {
    signal?.throwIfAborted();
    const shared = await shareable(root, content);
    const folder = await root.make(segments.slice(0, -1));
    const target = join(folder, segments.at(-1) ?? "");
    if ((await linkStat(target))?.isSymlink) throw linked(target);
    try {
      const done = mode === "replace"
        ? await replace(root, target, content, signal)
        : await create(root, target, content, shared, link, signal);
      await syncFolder(folder);
      return done;
    } catch (error) {
      // A parallel delete may have removed the folder or the object between two of our calls: begin again.
      if (!isMissing(error)) throw error;
    }
  }
}

/** Whether the file itself may become the object: private, ours, and finished on the disk. */
async function shareable(root: Root, content: Content): Promise<boolean> {
  if (!("file" in content)) return false;
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(content.file);
  } catch (error) {
    throw systemError(error, `cannot read ${content.file}`);
  }
  if (!info.isFile) throw new CairnError("refused", `${content.file} is not a file`);
  const isPrivate = ((info.mode ?? 0) & 0o077) === 0 && info.uid === Deno.uid();
  if (!isPrivate) return false;
  const staging = join(root.path, PARTIAL) + sep;
  if (!resolve(content.file).startsWith(staging)) await syncFile(content.file);
  return true;
}

async function create(
  root: Root,
  target: string,
  content: Content,
  shared: boolean,
  link: Link,
  signal: AbortSignal | undefined,
): Promise<"created" | "same"> {
  if (shared && "file" in content) {
    const outcome = await tryLink(link, content.file, target);
    if (outcome === "taken") return await compare(target, content, signal);
    if (outcome === "linked") return "created";
  } else if (await linkStat(target) !== undefined) {
    return await compare(target, content, signal);
  }
  await using temporary = await copyIn(root, content, signal);
  const outcome = await tryLink(link, temporary.path, target);
  if (outcome === "linked") return "created";
  if (outcome === "impossible" && await renameIfFree(root, temporary.path, target)) return "created";
  return await compare(target, content, signal);
}

async function replace(
  root: Root,
  target: string,
  content: Content,
  signal: AbortSignal | undefined,
): Promise<"created"> {
  await using temporary = await copyIn(root, content, signal);
  await Deno.rename(temporary.path, target);
  return "created";
}

async function tryLink(link: Link, from: string, to: string): Promise<"linked" | "taken" | "impossible"> {
  try {
    await link(from, to);
    return "linked";
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "EEXIST") return "taken";
    if (code === "EXDEV" || NO_LINKS.includes(code)) return "impossible";
    throw error;
  }
}

/** Without links, a check and a rename: a lock keeps other puts to this store from coming between. */
async function renameIfFree(root: Root, from: string, to: string): Promise<boolean> {
  using lock = await Deno.open(join(root.path, PARTIAL, "names.lock"), {
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    await lock.lock(true);
  } catch (error) {
    if (!NO_LOCKS.includes(systemCode(error) ?? "")) throw error;
  }
  if (await linkStat(to) !== undefined) return false;
  await Deno.rename(from, to);
  return true;
}

/** `same` when the object is equal to the content; then it is also made durable, since a killed `put` may have left it. */
async function compare(target: string, content: Content, signal: AbortSignal | undefined): Promise<"same"> {
  const there = await Deno.lstat(target);
  const equal = there.isFile &&
    ("file" in content
      ? await equalFiles(target, there, content.file, signal)
      : there.size === content.bytes.length &&
        (await hashFile(target, signal)).sha256 === await sha256(content.bytes));
  if (!equal) {
    throw new CairnError("exists", `${target} exists already with other content`, {
      hint: "something else writes to this store under the same name: give it a label or a store of its own",
    });
  }
  await syncFile(target);
  return "same";
}

async function equalFiles(
  target: string,
  there: Deno.FileInfo,
  file: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ours = await Deno.lstat(file);
  if (ours.ino === there.ino && ours.dev === there.dev) return true;
  if (ours.size !== there.size) return false;
  return (await hashFile(target, signal)).sha256 === (await hashFile(file, signal)).sha256;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * A private, durable copy of the content in the store's own file system; gone when disposed of. Until then it is locked,
 * which tells it from what a killed put left behind.
 */
async function copyIn(
  root: Root,
  content: Content,
  signal: AbortSignal | undefined,
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await root.make([PARTIAL]);
  const path = join(folder, `put-${crypto.randomUUID()}`);
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const remove = async () => {
    await removeIfThere(path);
    file.close();
  };
  try {
    await tryLock(file);
    if ("bytes" in content) await writeAll(file, content.bytes);
    else await copyFile(content.file, file, signal);
    await file.sync();
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}

/** Locks a file: true when that worked, false when another holds it, undefined where there are no file locks. */
async function tryLock(file: Deno.FsFile): Promise<boolean | undefined> {
  try {
    return await file.tryLock(true);
  } catch (error) {
    if (NO_LOCKS.includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

async function copyFile(file: string, to: Deno.FsFile, signal: AbortSignal | undefined): Promise<void> {
  using from = await Deno.open(file);
  const buffer = new Uint8Array(1 << 18);
  while (true) {
    signal?.throwIfAborted();
    const count = await from.read(buffer);
    if (count === null) return;
    await writeAll(to, buffer.subarray(0, count));
  }
}

/**
 * Removes what puts that were killed left behind: nobody holds its lock. Where there are no locks its age tells, since a day
 * is longer than any put goes without writing. A put whose file goes all the same, because it had not locked it yet or the
 * lock of another host is not seen here, begins again.
 */
export async function removeLeftovers(root: Root): Promise<void> {
  const folder = await root.find([PARTIAL]);
  if (folder === undefined) return;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("put-")) await removeLeftover(join(folder, name));
  }
}

async function removeLeftover(path: string): Promise<void> {
  const info = await linkStat(path);
  if (!info?.isFile) return;
  try {
    using file = await Deno.open(path, { read: true, write: true });
    const isOld = Date.now() - (info.mtime?.getTime() ?? Date.now()) > LEFTOVER_MILLISECONDS;
    if (await tryLock(file) ?? isOld) await removeIfThere(path);
  } catch (error) {
    // Another process may be removing it too; that of another user is not ours to remove.
    if (!isMissing(error) && !["EACCES", "EPERM"].includes(systemCode(error) ?? "")) throw error;
  }
}

/** Removes a file; no error when it is gone. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
