/**
 * Durable execution on one host: runs, their steps, retries and ownership, journaled in `control.db`. What a
 * workflow may count on stands in `workflow.ts`, how it is done in `docs/engine.md`.
 */
import { CairnError } from "../errors.ts";
import { openDatabase } from "./database.ts";
import { openJournal } from "./journal.ts";
import type { HeldLock } from "./lock_file.ts";
import { openLocks } from "./ownership.ts";
import type { RunEvent, RunFilter, RunView, StepView } from "./run.ts";
import { type Ended, runSession, type SessionParts, stoppedBy } from "./session.ts";
import { openViews } from "./views.ts";
import type { AnyWorkflow, Json, Workflow } from "./workflow.ts";

/** What a run is created with. */
export interface CreateOptions {
  /** Unique for all time: letters, digits and `._@:+-`, at most 128 characters. */
  readonly id: string;
  /** What the run is about, for people and for filters. */
  readonly label: string;
  /** Names that only one executing run may hold at a time, for example `database:sqlite:/srv/app.db`. */
  readonly locks: readonly string[];
  /**
   * This process is about to execute it: until it does, or closes, the run has it for an owner, and others do not take the run
   * for one that was left.
   */
  readonly reserve?: boolean;
}

/** How a run is executed. */
export interface ExecuteOptions {
  /** Kill the process that executes the run now, then go on in its place. */
  readonly takeOver?: boolean;
  /** No person asked for it: counted by the crash-loop guard, refused where a person must decide. */
  readonly automatic?: boolean;
  /** Told what happens, as it happens. Must not throw. */
  onEvent?(event: RunEvent): void;
}

/** Durable execution of a set of workflows. Dispose of it to stop the runs of this process and close the file. */
export interface Engine extends AsyncDisposable {
  /** Journals a run as queued. Throws `exists` when there is one of that id, `usage` for an unfit id. */
  create<I extends Json>(
    workflow: Workflow<I, Json>,
    input: NoInfer<I>,
    options: CreateOptions,
  ): Promise<void>;
  /**
   * Takes the run and brings it to its end, from wherever it stands; returns its output, also that of a run that is
   * done already. Throws the run's failure (it is then `failed`, and `execute` tries again what failed), or
   * `busy` when another process executes it or holds one of its locks, `interrupted` when this process is to stop
   * or the run was cancelled meanwhile, `stuck`, `refused` for a cancelled run, `not_found`.
   */
  execute(id: string, options?: ExecuteOptions): Promise<Json>;
  /**
   * Cancels the run: cleans it here, when no live process executes it, else asks that process to, which it does
   * within about a second. Throws `refused` when the run is done, or what cleaning threw.
   */
  cancel(id: string, options?: Pick<ExecuteOptions, "onEvent">): Promise<"cancelled" | "requested">;
  /** Finds a run by the beginning of its id. Throws `not_found`, or `usage` when several ids begin so. */
  find(idOrPrefix: string): Promise<RunView>;
  /** Newest first. */
  runs(filter?: RunFilter): Promise<RunView[]>;
  /** In the order in which they began; empty for a run that ended. */
  steps(id: string): Promise<StepView[]>;
  /** What the run was created with. Throws `not_found`. */
  input(id: string): Promise<Json>;
}

/** How to open the engine. */
export interface EngineOptions {
  /** The state folder. */
  readonly folder: string;
  /** Those that runs can be created for and executed with. */
  readonly workflows: readonly AnyWorkflow[];
  /**
   * Stops the runs of this process, which stay resumable. With the reason `"interrupted"` (or a `CairnError` of
   * that code) a person stopped them, and they are not resumed automatically.
   */
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970. */
  now?(): number;
  /** In [0, 1). */
  random?(): number;
  /** How long a stopped run may take to end its steps; 10,000 by default. */
  readonly graceMilliseconds?: number;
  /** How many automatic recoveries without a finished step make a run stuck; 5 by default. */
  readonly recoveryLimit?: number;
  /** How long to try when another process holds the database's lock; 30,000 by default. */
  readonly patienceMilliseconds?: number;
  /** Stands in for the mount table of the system. */
  readonly mountinfo?: string;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._@:+-]{0,127}$/;

/**
 * Opens the engine on a state folder, which is made when it is not there. Throws `refused` on a network file
 * system, `newer_version`, `state_damaged`, `busy`, `permission`.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { folder, patienceMilliseconds = 30_000, mountinfo, now = Date.now } = options;
  const database = await openDatabase(folder, { patienceMilliseconds, mountinfo });
  const locks = await openLocks(`${folder}/locks`);
  const journal = openJournal(database, now);
  const views = openViews(database, locks.owner);
  const closing = new AbortController();
  const parts: SessionParts = {
    journal,
    locks,
    workflows: new Map(options.workflows.map((workflow) => [workflow.name, workflow])),
    signal: AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]),
    graceMilliseconds: options.graceMilliseconds ?? 10_000,
    recoveryLimit: options.recoveryLimit ?? 5,
    now,
    random: options.random ?? Math.random,
  };
  const reserved = new Map<string, HeldLock>();
  const active = new Map<string, { cancel: AbortController; ended: Promise<Ended> }>();

  const existing = async (id: string) => {
    const row = await journal.row(id);
    if (row !== null) return row;
    throw new CairnError("not_found", `there is no run ${id}`, {
      hint: "list the runs with: cairn runs list",
    });
  };

  const takeReserved = (id: string): HeldLock | undefined => {
    const lock = reserved.get(id);
    reserved.delete(id);
    return lock;
  };

  const session = async (
    id: string,
    lock: HeldLock,
    options: ExecuteOptions & { cancel: boolean },
  ): Promise<Ended> => {
    if (closing.signal.aborted) {
      await lock.release();
      throw notStarted(id, closing.signal);
    }
    const cancel = new AbortController();
    const request = {
      run: id,
      automatic: options.automatic ?? false,
      cancel: options.cancel,
      cancelled: cancel.signal,
      onEvent: (event: RunEvent) => options.onEvent?.(event),
    };
    const ended = runSession(parts, request, lock);
    active.set(id, { cancel, ended });
    try {
      return await ended;
    } finally {
      active.delete(id);
    }
  };

  const cancel: Engine["cancel"] = async (id, options = {}) => {
    const row = await existing(id);
    if (row.status === "done") {
      throw new CairnError("refused", `run ${id} is done: nothing is left to cancel`);
    }
    if (row.status === "cancelled") return "cancelled";
    let lock = takeReserved(id) ?? await locks.tryRun(id);
    if (lock === null) {
      // A run that ended in this moment answers by its status, a run whose owner just let go is taken here.
      if (!await journal.requestCancel(id)) return cancel(id, options);
      active.get(id)?.cancel.abort();
      lock = await locks.tryRun(id);
      if (lock === null) return "requested";
    }
    const ended = await session(id, lock, { ...options, cancel: true });
    if (ended.status === "cancelled") return "cancelled";
    throw new CairnError("refused", `run ${id} is done: nothing is left to cancel`);
  };

  return {
    ...views,
    async create(workflow, input, { id, label, locks: names, reserve = false }) {
      if (!ID.test(id)) {
        throw new CairnError("usage", `${JSON.stringify(id)} cannot be the id of a run`, {
          hint: "use at most 128 letters, digits and ._@:+-",
        });
      }
      const lock = reserve ? await locks.run(id) : undefined;
      try {
        await journal.create({
          id,
          workflow: workflow.name,
          version: workflow.version,
          label,
          locks: [...new Set(names)].sort(),
          input: JSON.stringify(input),
        });
      } catch (error) {
        await lock?.release();
        throw error;
      }
      if (lock !== undefined) reserved.set(id, lock);
    },
    async execute(id, options = {}) {
      await existing(id);
      const own = takeReserved(id);
      if (parts.signal.aborted) {
        await own?.release();
        throw notStarted(id, parts.signal);
      }
      const lock = own ?? (options.takeOver ? await locks.takeOver(id) : await locks.run(id));
      const ended = await session(id, lock, { ...options, cancel: false });
      if (ended.status === "done") return ended.output;
      throw new CairnError(ended.now ? "interrupted" : "refused", `run ${id} was cancelled`, {
        hint: "what it left is removed: begin a new run",
      });
    },
    cancel,
    async input(id) {
      return JSON.parse(await journal.input(id));
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new DOMException("the engine is closing", "AbortError"));
      await Promise.allSettled([...active.values()].map(({ ended }) => ended));
      for (const id of [...reserved.keys()]) await takeReserved(id)?.release();
      database.close();
    },
  };
}

function notStarted(id: string, signal: AbortSignal): CairnError {
  return new CairnError(
    "interrupted",
    `run ${id} was not started: ${
      stoppedBy(signal) === "person" ? "interrupted" : "the process is stopping"
    }`,
    { hint: `go on with: cairn resume ${id}` },
  );
}
