/**
 * The engine's SQLite file, `control.db`: opened, checked, and written so that a power cut loses nothing that was
 * reported as written and a lock held elsewhere never freezes the event loop.
 */
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../errors.ts";
import { pause } from "./retry.ts";
import { MIGRATIONS } from "./schema.ts";
import { networkFileSystem, readMountinfo } from "./system.ts";

/** How long one call into SQLite may block the event loop when another process holds the lock. */
const BUSY_MILLISECONDS = 50;

/** The open file. */
export interface Database {
  /** For preparing statements and for reads in the middle of a write. */
  readonly connection: DatabaseSync;
  /**
   * Runs `work`, which must be a single statement or a few reads, again until the file is not locked.
   * Throws `busy`, `state_damaged`, `no_space`, `io` or `permission` for what SQLite reports.
   */
  attempt<T>(work: () => T): Promise<T>;
  /** As `attempt`, once, for a write that may be left out: null when the file is locked. */
  once<T>(work: () => T): T | null;
  /** As `attempt`, within `BEGIN IMMEDIATE … COMMIT`; `work` may run several times. */
  transaction<T>(work: () => T): Promise<T>;
  /** Closes the file. */
  close(): void;
}

/** How to open it. */
export interface DatabaseOptions {
  /** How long to try while another process holds the lock. */
  readonly patienceMilliseconds: number;
  /** Stands in for the mount table of the system. */
  readonly mountinfo?: string | undefined;
}

/**
 * Opens `<folder>/control.db`, making folder and file when they are not there. Throws `refused` on a network file
 * system, `newer_version`, `state_damaged`, `busy`, `permission`.
 */
export async function openDatabase(folder: string, options: DatabaseOptions): Promise<Database> {
  await makeFolder(folder);
  const mountinfo = options.mountinfo ?? await readMountinfo() ?? "";
  const network = networkFileSystem(await Deno.realPath(folder), mountinfo);
  if (network !== null) {
    throw new CairnError("refused", `the state folder ${folder} is on a network file system (${network})`, {
      hint: "set CAIRN_HOME to a folder on a local disk: locks and journals do not hold over a network",
    });
  }
  const path = `${folder}/control.db`;
  if (createPrivate(folder, path)) await syncNames(folder);

  const guard = guardFor(path);
  const connection = guard(() => new DatabaseSync(path, { timeout: BUSY_MILLISECONDS }));
  const patience = options.patienceMilliseconds;

  const attempt = async <T>(work: () => T): Promise<T> => {
    const deadline = performance.now() + patience;
    for (;;) {
      try {
        return guard(work);
      } catch (error) {
        if (!isLocked(error) || performance.now() > deadline) throw error;
      }
      await pause(10 + Math.random() * 40);
    }
  };
  const database: Database = {
    connection,
    attempt,
    once(work) {
      try {
        return guard(work);
      } catch (error) {
        if (isLocked(error)) return null;
        throw error;
      }
    },
    transaction: (work) =>
      attempt(() => {
        connection.exec("BEGIN IMMEDIATE");
        try {
          const result = work();
          connection.exec("COMMIT");
          return result;
        } catch (error) {
          rollBack(connection);
          throw error;
        }
      }),
    close: () => connection.close(),
  };
  try {
    await attempt(() => connection.exec("PRAGMA journal_mode = WAL"));
    connection.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    await migrate(database, path);
  } catch (error) {
    connection.close();
    throw error;
  }
  return database;
}

async function migrate(database: Database, path: string): Promise<void> {
  const version = () => {
    const found = database.connection.prepare("PRAGMA user_version").get()?.user_version;
    return typeof found === "number" ? found : 0;
  };
  const current = await database.attempt(version);
  if (current > MIGRATIONS.length) {
    throw new CairnError("newer_version", `${path} was written by a newer Cairn (schema ${current})`, {
      hint: `this Cairn knows schema ${MIGRATIONS.length}: use the newer Cairn`,
    });
  }
  if (current === MIGRATIONS.length) return;
  await database.transaction(() => {
    const from = version();
    const tables = database.connection.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n;
    if (from === 0 && tables !== 0) throw damaged(path, "it holds the tables of something else");
    for (const statements of MIGRATIONS.slice(from)) database.connection.exec(statements);
    database.connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * Makes the file with its rights before SQLite writes to it; its `-wal` and `-shm` inherit them. Synchronous and
 * only for a new file: closing any descriptor of a database drops the locks that SQLite holds on it in this process
 * (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
function createPrivate(folder: string, path: string): boolean {
  try {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw unusable(folder, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(folder, error);
  }
}

function unusable(folder: string, error: unknown): unknown {
  const denied = error instanceof Deno.errors.PermissionDenied;
  const taken = error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory;
  if (!denied && !taken) return error;
  const why = denied ? "permission denied" : "a part of its path is a file";
  return new CairnError(
    denied ? "permission" : "refused",
    `the state folder ${folder} cannot be used: ${why}`,
    {
      hint: "set CAIRN_HOME to a folder that this user may write to",
      cause: error,
    },
  );
}

/** Makes the names in a new state folder durable, and its own: some of the folders above it may be new, too. */
async function syncNames(folder: string): Promise<void> {
  for (let at = resolve(folder);; at = dirname(at)) {
    try {
      using handle = await Deno.open(at);
      await handle.sync();
    } catch (error) {
      if (at === resolve(folder)) throw error;
      // What cannot be opened or synced was not made by us just now.
      return;
    }
    if (at === dirname(at)) return;
  }
}

function rollBack(connection: DatabaseSync): void {
  try {
    connection.exec("ROLLBACK");
  } catch { /* SQLite has rolled back by itself, as it does on a full disk */ }
}

const LOCKED = Symbol("locked");

function isLocked(error: unknown): boolean {
  return error instanceof CairnError && error.cause instanceof Error && LOCKED in error.cause;
}

/** Runs a call into SQLite and turns its errors into ours. They carry no code in Deno, only SQLite's messages. */
function guardFor(path: string): <T>(work: () => T) => T {
  return (work) => {
    try {
      return work();
    } catch (error) {
      if (error instanceof CairnError || !(error instanceof Error)) throw error;
      throw translate(error, path);
    }
  };
}

/** Messages: sqlite3ErrStr in https://www.sqlite.org/src/file/src/main.c */
function translate(error: Error, path: string): Error {
  const { message } = error;
  if (/is locked/.test(message)) {
    const cause = Object.assign(error, { [LOCKED]: true });
    return new CairnError("busy", `${path} is locked by another process`, {
      hint: "another Cairn writes to it, or a program has it open: end that program",
      cause,
    });
  }
  if (/malformed|not a database/.test(message)) return damaged(path, message, error);
  if (/is full/.test(message)) {
    return new CairnError("no_space", `${path} could not be written: ${message}`, {
      hint: "free some space and resume the run",
      cause: error,
    });
  }
  if (/I\/O error/.test(message)) {
    return new CairnError("io", `${path}: ${message}`, {
      hint: "check the disk, then resume the run",
      cause: error,
    });
  }
  if (/readonly database|unable to open/.test(message)) {
    return new CairnError("permission", `${path} could not be opened for writing: ${message}`, {
      hint: "run Cairn as the owner of its state folder, or set CAIRN_HOME",
      cause: error,
    });
  }
  return error;
}

function damaged(path: string, what: string, cause?: Error): CairnError {
  return new CairnError("state_damaged", `${path} is damaged: ${what}`, {
    hint: `backups are not affected, only the history of runs is lost: move ${path}* away and start again`,
    cause,
  });
}
