/**
 * A *live* adapter for tests: SQLite by the `sqlite3` program, in the manner of the dump tools of the servers.
 *
 * Its dump is text from a child process, so that it cannot be resumed, and is only good when the child ended well and
 * the text has its last line. Its load goes straight into the target, in one transaction of a child that is told to
 * commit only after our stream ended cleanly; a marker table tells the leftovers of a run from content.
 */
import { hostname } from "node:os";
import type {
  Adapter,
  Address,
  Dump,
  Loaded,
  LoadRequest,
  Snapshot,
  Target,
} from "../../adapters/adapter.ts";
import { selectsAll, selectTables } from "../../adapters/selection.ts";
import { CairnError } from "../../errors.ts";
import { dumpBySqlite3 } from "./live_sqlite_dump.ts";
import { runSqlite3, startSqlite3 } from "./sqlite3_program.ts";

/** What can go wrong with a dump. */
export type LiveFault =
  /** The child delivers everything, then ends with status 3. */
  | { readonly kind: "status" }
  /** The child delivers `afterBytes`, and is killed. */
  | { readonly kind: "killed"; readonly afterBytes: number }
  /** The child delivers `afterBytes`, and ends with status 0. */
  | { readonly kind: "truncated"; readonly afterBytes: number }
  /** The child delivers `afterBytes`, and nothing more, for ever. */
  | { readonly kind: "stalled"; readonly afterBytes: number };

/** How the adapter misbehaves. */
export interface LiveSqliteOptions {
  /** The fault of the `attempt`-th dump of this adapter, from 1; undefined for none. */
  readonly fault?: (attempt: number) => LiveFault | undefined;
}

/** The name of the engine, and the scheme of its addresses. */
export const LIVE_SQLITE = "live-sqlite";

const MARKER = "cairn_restore";
const COMMIT = new TextEncoder().encode("COMMIT;\n");
const BEGIN = new TextEncoder().encode("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
const USER_TABLE = "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/** The address of a file. */
export function liveAddress(path: string): Address {
  return { engine: LIVE_SQLITE, url: `${LIVE_SQLITE}:${path}` };
}

/** Makes the adapter. */
export function createLiveSqlite(options: LiveSqliteOptions = {}): Adapter {
  let dumps = 0;
  return {
    engine: LIVE_SQLITE,
    async ping(address, signal) {
      const start = performance.now();
      const path = await existing(address);
      const version = await query(path, "SELECT sqlite_version()", signal);
      const latencyMilliseconds = performance.now() - start;
      return {
        engineVersion: `SQLite ${version}`,
        latencyMilliseconds,
        bytes: (await Deno.stat(path)).size,
        facts: [],
      };
    },
    async snapshot(address, { selection, signal }): Promise<Snapshot> {
      signal.throwIfAborted();
      const path = await existing(address);
      selectTables(selection, await tablesOf(path, signal), path);
      const version = await query(path, "SELECT sqlite_version()", signal);
      return {
        frozen: false,
        format: "sql",
        fingerprint: `${LIVE_SQLITE}:${hostname()}:${path}`,
        engineVersion: `SQLite ${version}`,
        plainBytes: (await Deno.stat(path)).size,
        tools: { sqlite3: version },
        tables: [],
        warnings: [],
      };
    },
    dump(address, _snapshot, { selection, signal }): Dump {
      const path = pathOf(address);
      const patterns = async () =>
        selectsAll(selection) ? [] : selectTables(selection, await tablesOf(path, signal), path);
      return dumpBySqlite3(path, patterns, signal, options.fault?.(++dumps));
    },
    inspect,
    load,
    async commit(address, _loaded, { signal }) {
      await runSqlite3(pathOf(address), `DROP TABLE IF EXISTS ${MARKER};`, signal);
    },
    async discard(address, { run, signal }) {
      const path = pathOf(address);
      if (await isThere(path) && await markedBy(path, signal) === run) await remove(path);
    },
  };
}

async function inspect(address: Address, signal: AbortSignal): Promise<Target> {
  signal.throwIfAborted();
  const path = pathOf(address);
  if (!await isThere(path)) return { state: "missing" };
  const tables = await tablesOf(path, signal);
  return tables.length === 0
    ? { state: "empty" }
    : { state: "filled", description: `has ${tables.length} tables` };
}

async function load(
  address: Address,
  format: string,
  plain: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: LoadRequest,
): Promise<Loaded> {
  const path = pathOf(address);
  const wasThere = await isThere(path);
  try {
    request.signal.throwIfAborted();
    if (format !== "sql") throw new CairnError("refused", `a dump of format "${format}" is no SQL`);
    if (!selectsAll(request.selection)) {
      throw new CairnError("refused", "a selection of an SQL dump cannot be restored");
    }
    const drops = await leftoversToDrop(path, request);
    await feed(
      path,
      plain,
      `${drops}CREATE TABLE ${MARKER} (run);\nINSERT INTO ${MARKER} VALUES ('${request.run}');\n`,
      request.signal,
    );
    return { tables: [], facts: {} };
  } catch (error) {
    await plain.cancel(error).catch(() => {});
    if (wasThere) await settle(path);
    else await remove(path);
    throw error;
  }
}

/** The statements that clear the target: of what an earlier attempt of this run loaded, or of what is overwritten. */
async function leftoversToDrop(path: string, { run, overwrite, signal }: LoadRequest): Promise<string> {
  if (!await isThere(path)) return "";
  const tables = await tablesOf(path, signal);
  if (tables.length > 0 && !overwrite && await markedBy(path, signal) !== run) {
    throw new CairnError("target_exists", `the database ${path} has ${tables.length} tables`);
  }
  const sql = `SELECT 'DROP TABLE ' || quote(name) || ';' FROM sqlite_schema WHERE ${USER_TABLE}`;
  const drops = await query(path, sql, signal);
  return drops === "" ? "" : `${drops}\n`;
}

/**
 * Feeds a dump to a child: its first two lines, then `setup`, then the rest. The last line, which commits, is kept back
 * until the stream has ended; should the stream fail, the child is killed, and its transaction with it.
 */
async function feed(
  path: string,
  plain: ReadableStream<Uint8Array<ArrayBuffer>>,
  setup: string,
  signal: AbortSignal,
): Promise<void> {
  const child = startSqlite3([path], signal);
  const output = child.stdout.pipeTo(new WritableStream()).catch(() => {});
  const input = child.stdin.getWriter();
  let held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let begun = false;
  try {
    for await (const bytes of plain.pipeThrough(new TransformStream(), { signal })) {
      held = joined(held, bytes);
      if (!begun) {
        if (held.length < BEGIN.length) continue;
        if (!startsWith(held, BEGIN)) throw notDump();
        await input.write(joined(BEGIN, new TextEncoder().encode(setup)));
        held = held.slice(BEGIN.length);
        begun = true;
      }
      if (held.length <= COMMIT.length) continue;
      await input.write(held.slice(0, -COMMIT.length));
      held = held.slice(-COMMIT.length);
    }
    if (!begun || held.length !== COMMIT.length || !startsWith(held, COMMIT)) throw notDump();
    await input.write(COMMIT);
    await input.close();
  } catch (error) {
    await child.end();
    await input.abort(error).catch(() => {});
    await output;
    const { status } = await child.ended;
    signal.throwIfAborted();
    // A child that died on its own says more than the pipe that broke with it.
    if (status.signal === null) await child.success();
    throw error;
  }
  await output;
  await child.success();
}

function joined(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function notDump(): CairnError {
  return new CairnError("verification", "the stream is no whole dump of sqlite3");
}

function query(path: string, sql: string, signal: AbortSignal): Promise<string> {
  return runSqlite3(path, sql, signal);
}

async function tablesOf(path: string, signal: AbortSignal): Promise<readonly string[]> {
  const names = await query(path, `SELECT name FROM sqlite_schema WHERE ${USER_TABLE} ORDER BY name`, signal);
  return names === "" ? [] : names.split("\n");
}

/** The run whose load has filled the target, but not yet committed; undefined when it is ordinary content. */
async function markedBy(path: string, signal: AbortSignal): Promise<string | undefined> {
  if (!(await tablesOf(path, signal)).includes(MARKER)) return undefined;
  return await query(path, `SELECT run FROM ${MARKER}`, signal);
}

async function existing(address: Address): Promise<string> {
  const path = pathOf(address);
  if (await isThere(path)) return path;
  throw new CairnError("not_found", `the database ${path} does not exist`);
}

function pathOf(address: Address): string {
  return address.url.slice(LIVE_SQLITE.length + 1);
}

/** Lets SQLite roll back what a killed child wrote; the journal of one that wrote nothing yet would stay. */
async function settle(path: string): Promise<void> {
  await tablesOf(path, new AbortController().signal);
  if (await isThere(`${path}-journal`)) await Deno.remove(`${path}-journal`);
}

/** Removes a database that a killed child may have left in mid-transaction. */
async function remove(path: string): Promise<void> {
  for (const file of [path, `${path}-journal`]) if (await isThere(file)) await Deno.remove(file);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
