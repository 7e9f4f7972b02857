/** Who may execute a run: the process that holds the run's lock file, and those of the names the run needs. */
import { createHash } from "node:crypto";
import { CairnError } from "../errors.ts";
import { type HeldLock, lockFile, lockOwner, type Owner, removeUnheld } from "./lock_file.ts";
import { pause } from "./retry.ts";
import { processStart } from "./system.ts";

/** How long a killed process may take to vanish. */
const TAKE_OVER_MILLISECONDS = 10_000;

/** The locks of one state folder, as this process takes them. */
export interface Locks {
  /** Takes the run, or null when another live process (or this one) executes it. */
  tryRun(run: string): Promise<HeldLock | null>;
  /** As `tryRun`, but throws `busy` and names the process. */
  run(run: string): Promise<HeldLock>;
  /** Kills the process that executes the run, if there is one, and takes the run. Throws `refused` or `permission`. */
  takeOver(run: string): Promise<HeldLock>;
  /** Takes each name, in an order that all processes share; throws `busy`, holding none, when one is taken. */
  names(names: readonly string[], run: string): Promise<HeldLock>;
  /** Who executes the run now; null when nobody does. */
  owner(run: string): Promise<Owner | "unknown" | null>;
}

/**
 * Opens the locks in `folder`, which is made when it is not there. A process from which a run is taken over may
 * take `takeOverMilliseconds` to vanish.
 */
export async function openLocks(
  folder: string,
  takeOverMilliseconds: number = TAKE_OVER_MILLISECONDS,
): Promise<Locks> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  // A process that was killed just after the end of its run left these, and nobody takes up a run that has ended.
  for await (const { name } of Deno.readDir(folder)) await removeUnheld(`${folder}/${name}`);
  const self = { pid: Deno.pid, start: await processStart(Deno.pid) };
  const runPath = (run: string) => `${folder}/run-${run}.lock`;
  const tryRun = (run: string) => lockFile(runPath(run), { ...self, run });

  return {
    tryRun,
    owner: (run) => lockOwner(runPath(run)),
    async run(run) {
      const held = await tryRun(run);
      if (held !== null) return held;
      const owner = await lockOwner(runPath(run));
      throw new CairnError("busy", `run ${run} is being executed by ${describe(owner)}`, {
        hint: `wait for it or cancel it; if that process hangs: cairn resume ${run} --take-over`,
      });
    },
    async takeOver(run) {
      const path = runPath(run);
      const deadline = performance.now() + takeOverMilliseconds;
      for (;;) {
        const held = await lockFile(path, { ...self, run }, 0);
        if (held !== null) return held;
        await killOwner(run, await lockOwner(path));
        if (performance.now() > deadline) {
          throw new CairnError("refused", `run ${run} is owned by a process that could not be identified`, {
            hint: "it may run in another container: end it there, then resume the run",
          });
        }
        await pause(20);
      }
    },
    async names(names, run) {
      const held: HeldLock[] = [];
      const release = async () => {
        for (const lock of held.splice(0).reverse()) await lock.release();
      };
      try {
        for (const name of [...new Set(names)].sort()) {
          const path = `${folder}/${createHash("sha256").update(name).digest("hex")}.lock`;
          const lock = await lockFile(path, { ...self, run });
          if (lock === null) throw nameTaken(name, await lockOwner(path));
          held.push(lock);
        }
      } catch (error) {
        await release();
        throw error;
      }
      return { release };
    },
  };
}

/** Kills only a process that is, by pid and start time, the one that wrote its name into the lock. */
async function killOwner(run: string, owner: Owner | "unknown" | null): Promise<void> {
  if (owner === null || owner === "unknown" || owner.run !== run) return;
  if (owner.pid === Deno.pid) {
    throw new CairnError("busy", `run ${run} is being executed by this process`, { hint: "wait for it" });
  }
  if (owner.start === null || await processStart(owner.pid) !== owner.start) return;
  try {
    Deno.kill(owner.pid, "SIGKILL");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new CairnError(
      "permission",
      `process ${owner.pid}, which executes run ${run}, could not be killed`,
      {
        hint: "take the run over as the user who started it",
        cause: error,
      },
    );
  }
}

function nameTaken(name: string, owner: Owner | "unknown" | null): CairnError {
  const other = owner === null || owner === "unknown" ? "another run" : `run ${owner.run}`;
  return new CairnError("busy", `${name} is in use by ${other} (${describe(owner)})`, {
    hint: `wait for ${other} to end, or cancel it`,
  });
}

function describe(owner: Owner | "unknown" | null): string {
  return owner === null || owner === "unknown" ? "another process" : `process ${owner.pid}`;
}
