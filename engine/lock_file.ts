/**
 * A file lock (flock) that says who holds it. The kernel drops it when its holder dies, however it dies, so a lock
 * that can be had is proof that nobody works under it.
 */
import { pause } from "./retry.ts";

/** Who holds a lock, as written in its file. */
export interface Owner {
  readonly pid: number;
  /** Start of the process (see `processStart`), or null where the system does not tell. */
  readonly start: string | null;
  /** The id of the run that is worked on. */
  readonly run: string;
}

/** A lock that is held. */
export interface HeldLock {
  /** Removes the file and drops the lock. */
  release(): Promise<void>;
}

/** Listing runs probes locks for microseconds: an attempt to lock outlasts that. */
const PROBE_MILLISECONDS = 100;

/** Takes the lock, trying for `milliseconds`; null when someone else holds it. */
export async function lockFile(
  path: string,
  owner: Owner,
  milliseconds = PROBE_MILLISECONDS,
): Promise<HeldLock | null> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const held = await tryLockFile(path, owner);
    if (held !== "busy" && held !== "replaced") return held;
    if (held === "replaced") continue;
    if (performance.now() > deadline) return null;
    await pause(20);
  }
}

async function tryLockFile(path: string, owner: Owner): Promise<HeldLock | "busy" | "replaced"> {
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (!await file.tryLock(true)) {
      file.close();
      return "busy";
    }
    // The holder before removed the file while we waited with it open: our lock is on a file nobody will find.
    if (!await isAt(file, path)) {
      file.close();
      return "replaced";
    }
    await file.truncate(0);
    await file.write(new TextEncoder().encode(JSON.stringify(owner)));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    async release() {
      if (await isAt(file, path)) await Deno.remove(path);
      file.close();
    },
  };
}

/** Who holds the lock: null when nobody does, "unknown" when the holder has not yet said. */
export async function lockOwner(path: string): Promise<Owner | "unknown" | null> {
  let file;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    if (await file.tryLock(false)) return null;
    // Whoever tidies up locks for a moment what nobody holds: an owner holds it still.
    await pause(5);
    if (await file.tryLock(false)) return null;
    const bytes = new Uint8Array(4096);
    const length = await file.read(bytes);
    return parseOwner(new TextDecoder().decode(bytes.subarray(0, length ?? 0)));
  } finally {
    file.close();
  }
}

/**
 * Removes the file of a lock that nobody holds. Only who holds the lock may remove it: another process could otherwise lock
 * a new file of that name in between.
 */
export async function removeUnheld(path: string): Promise<void> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    if (await file.tryLock(true) && await isAt(file, path)) await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function parseOwner(text: string): Owner | "unknown" {
  try {
    const { pid, start, run } = JSON.parse(text);
    if (Number.isSafeInteger(pid) && pid > 0 && typeof run === "string") {
      return { pid, start: typeof start === "string" ? start : null, run };
    }
  } catch { /* half written: its holder is about to finish it */ }
  return "unknown";
}

async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const mine = await file.stat();
  try {
    const there = await Deno.stat(path);
    return there.ino === mine.ino && there.dev === mine.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
