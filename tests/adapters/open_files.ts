/** Which processes have a file open, as Linux tells it. */

/**
 * Waits until SQLite children of the process `parent` have the file open, and returns their ids. Programs that a test
 * started itself do not count.
 */
export async function usersOf(file: string, parent: number): Promise<readonly number[]> {
  return await poll(
    () => processes().filter((pid) => isChild(pid, parent) && hasOpen(pid, file)),
    (users) => users.length > 0,
  );
}

/** Waits until no process has the file open. */
export async function unused(file: string): Promise<void> {
  await poll(() => processes().filter((pid) => hasOpen(pid, file)), (users) => users.length === 0);
}

async function poll<T>(look: () => T, isGood: (found: T) => boolean): Promise<T> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const found = look();
    if (isGood(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came to that");
}

function processes(): readonly number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** A process may end while it is looked at: then it is none. */
function isChild(pid: number, parent: number): boolean {
  try {
    const found = /^PPid:\t(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return Number(found) === parent &&
      !Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes("sqlite_writer");
  } catch {
    return false;
  }
}

function hasOpen(pid: number, file: string): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)]
      .some(({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === file);
  } catch {
    return false;
  }
}
