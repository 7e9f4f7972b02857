/**
 * Feeds a dump to the target: our stream → `pg_restore` (which makes SQL of it) → the filter → `psql`, in one transaction.
 *
 * The COMMIT is ours, and comes last: after the stream has ended cleanly, the walker has found the dump complete, `pg_restore`
 * has ended with status 0 and the server has counted as many rows as the dump has. Whatever dies before that, the server
 * rolls back.
 */
import { CairnError } from "../../errors.ts";
import type { TableCount } from "../adapter.ts";
import { type Child, startChild } from "../child.ts";
import type { ArchiveWalker, DataRows } from "./archive.ts";
import { toolError } from "./messages.ts";
import { tableName } from "./names.ts";
import { type Asked, clientRequest, PSQL_ARGUMENTS } from "./psql.ts";
import { createSqlFilter } from "./sql_filter.ts";
import type { Toc } from "./toc.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Input = WritableStreamDefaultWriter<Bytes>;

/** A dump whose table of contents has been read. */
export interface Opened {
  /** What was read for that. */
  readonly head: readonly Bytes[];
  readonly rest: ReadableStreamDefaultReader<Bytes>;
  readonly walker: ArchiveWalker;
  readonly toc: Toc;
}

/** Where a dump goes. */
export interface Feed extends Asked {
  /** The names of the settings that the server knows. */
  readonly settings: ReadonlySet<string>;
  /** SQL before the dump and after it, in the same transaction. */
  readonly before: string;
  readonly after: string;
  /** True when owners and rights are left out. */
  readonly withoutOwners: boolean;
  /** A file with the ids of the entries to load; all when undefined. */
  readonly list: string | undefined;
  /** What is loaded where, for messages. */
  readonly what: string;
}

const encode = (text: string): Bytes => new TextEncoder().encode(text);

/** Loads a dump and commits. Returns the rows that the server counted. The reader is read to its end, or cancelled. */
export async function feedDump(opened: Opened, feed: Feed): Promise<TableCount[]> {
  const failure = new AbortController();
  const fail = (error: unknown) => failure.abort(error);
  const giveUp = () => fail(feed.signal.reason);
  feed.signal.addEventListener("abort", giveUp, { once: true });
  const asked = { ...feed, signal: failure.signal };
  const stopReading = () => void opened.rest.cancel(failure.signal.reason).catch(() => {});
  failure.signal.addEventListener("abort", stopReading, { once: true });
  const children: Child[] = [];
  const inputs: Input[] = [];
  try {
    if (feed.signal.aborted) giveUp();
    const start = async (program: string, args: readonly string[]) => {
      const child = await startChild({ ...clientRequest(asked, program, args), hasInput: true });
      children.push(child);
      return child;
    };
    const restore = await start("pg_restore", [
      "--single-transaction",
      "--exit-on-error",
      "--file=-",
      ...feed.withoutOwners ? ["--no-owner", "--no-privileges"] : [],
      ...feed.list === undefined ? [] : [`--use-list=${feed.list}`],
    ]);
    const psql = await start("psql", [...PSQL_ARGUMENTS, "-f", "-"]);
    inputs.push(restore.stdin.getWriter(), psql.stdin.getWriter());
    return await run(opened, feed, restore, psql, inputs, failure.signal, fail);
  } catch (error) {
    fail(error);
    throw failure.signal.reason;
  } finally {
    feed.signal.removeEventListener("abort", giveUp);
    await Promise.all(children.map((child) => child.end()));
    for (const input of inputs) await input.abort().catch(() => {});
  }
}

async function run(
  opened: Opened,
  feed: Feed,
  restore: Child,
  psql: Child,
  [restoreInput, input]: readonly Input[],
  stopped: AbortSignal,
  fail: (error: unknown) => void,
): Promise<TableCount[]> {
  const written = async (writer: Input | undefined, child: Child, bytes: Bytes) => {
    try {
      await writer?.write(bytes);
    } catch (error) {
      // What the child said before it died tells more than the pipe that broke.
      const ending = await child.ended;
      throw ending.success ? error : toolError(child.name, ending, feed.what);
    }
  };
  const send = (bytes: Bytes) => written(input, psql, bytes);

  const copies = opened.toc.entries.filter((entry) => entry.hasData && entry.copy !== "").map((entry) =>
    entry.copy
  );
  const filter = createSqlFilter(copies, feed.settings);
  const end = `cairn ${crypto.randomUUID()}`;
  const counts = countCopies(psql, end);
  counts.catch(() => {});

  const intoRestore = async (): Promise<readonly DataRows[]> => {
    for (const bytes of opened.head) await written(restoreInput, restore, bytes);
    for (;;) {
      const { value, done } = await opened.rest.read();
      stopped.throwIfAborted();
      if (done) break;
      opened.walker.push(value);
      await written(restoreInput, restore, value);
    }
    const tables = opened.walker.end();
    await restoreInput?.close().catch(() => {}); // it may have read all that it wants
    return tables;
  };
  const intoPsql = async () => {
    await send(encode(`BEGIN;\n${feed.before}\n`));
    for await (const bytes of restore.stdout) for (const piece of filter.push(bytes)) await send(piece);
    const ending = await restore.ended;
    stopped.throwIfAborted();
    if (!ending.success) throw toolError(restore.name, ending, feed.what);
    filter.end();
  };
  const failing = <T>(promise: Promise<T>) =>
    promise.catch((error) => {
      fail(error); // the other one must not wait for ever
      throw error;
    });
  const [tables] = await Promise.all([failing(intoRestore()), failing(intoPsql())]);

  await send(encode(`\n${feed.after}\nSELECT '${end}';\n`));
  const counted = await Promise.race([counts, psql.ended]);
  stopped.throwIfAborted();
  if (!Array.isArray(counted)) throw toolError(psql.name, await psql.ended, feed.what);
  const loaded = compare(tables, counted, feed.what);
  await send(encode("COMMIT;\n"));
  await input?.close();
  const ending = await psql.ended;
  stopped.throwIfAborted();
  if (!ending.success) throw toolError(psql.name, ending, feed.what);
  return loaded;
}

/** The rows of each COPY as the server counted them, once `end` is printed. */
async function countCopies(psql: Child, end: string): Promise<number[] | undefined> {
  const counts: number[] = [];
  let isDone = false;
  let rest = "";
  const { promise, resolve } = Promise.withResolvers<number[] | undefined>();
  const read = async () => {
    for await (const text of psql.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const rows = /^COPY (\d+)$/.exec(line)?.[1];
        if (rows !== undefined) counts.push(Number(rows));
        if (line === end && !isDone) {
          isDone = true;
          resolve(counts);
        }
      }
    }
    resolve(undefined);
  };
  read().catch(() => resolve(undefined));
  return await promise;
}

/** Every row that the dump has must have been counted by the server. */
function compare(tables: readonly DataRows[], counts: readonly number[], what: string): TableCount[] {
  const copied = tables.filter(({ entry }) => entry.copy !== "");
  if (copied.length !== counts.length) {
    throw new CairnError(
      "verification",
      `${what}: of ${copied.length} tables with rows ${counts.length} were loaded`,
    );
  }
  return copied.map(({ entry, rows }, index) => {
    const found = counts[index] ?? 0;
    const name = tableName(entry.schema, entry.tag);
    if (rows === undefined || rows === found) return { name, rows: found };
    throw new CairnError(
      "verification",
      `${what}: the table ${name} got ${found} rows, the dump has ${rows}`,
      {
        hint: "nothing was committed; please report this with the log",
      },
    );
  });
}
