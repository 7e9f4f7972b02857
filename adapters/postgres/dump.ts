/** A dump by `pg_dump`, in custom format and uncompressed, checked for completeness as it streams by. */
import { CairnError } from "../../errors.ts";
import type { Access, Dump, DumpFacts, Selection, Snapshot } from "../adapter.ts";
import type { Child } from "../child.ts";
import { startChild } from "../child.ts";
import { selectsAll } from "../selection.ts";
import { connectionTo } from "./address.ts";
import { type ArchiveWalker, createArchiveWalker } from "./archive.ts";
import { toolError } from "./messages.ts";
import { dumpArguments, tableName } from "./names.ts";
import type { PostgresOptions } from "./options.ts";
import { clientRequest } from "./psql.ts";
import { reach } from "./server.ts";
import { majorOf, toolsFor } from "./tools.ts";

/** How long `pg_dump` waits for a table that somebody has locked for himself. */
const LOCK_WAIT_MILLISECONDS = 60_000;

/** See `Adapter.dump`. `pg_dump` is started when the first byte is asked for. */
export function dumpDatabase(
  access: Access,
  snapshot: Snapshot,
  request: { readonly offset: number; readonly selection: Selection; readonly signal: AbortSignal },
  options: PostgresOptions,
): Dump {
  const { promise: finished, resolve, reject } = Promise.withResolvers<DumpFacts>();
  // Whoever only reads the stream learns of the same error there.
  finished.catch(() => {});
  const walker = createArchiveWalker();
  let child: Child | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;

  async function next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (child === undefined || reader === undefined) {
      if (request.offset !== 0) {
        throw new CairnError("internal", "a dump of PostgreSQL cannot go on in its middle");
      }
      child = await startDump(access, snapshot, request, options);
      reader = child.stdout.getReader();
    }
    const { value, done } = await reader.read();
    request.signal.throwIfAborted();
    if (!done) {
      push(walker, value, child);
      return value;
    }
    const ending = await child.ended;
    request.signal.throwIfAborted();
    if (!ending.success) throw toolError(child.name, ending, `the dump of ${access.url} failed`);
    resolve({ warnings: warningsIn(ending.complaint), tables: countsOf(walker) });
  }

  async function fail(error: unknown): Promise<void> {
    reject(error);
    await child?.end();
    await reader?.cancel().catch(() => {});
  }

  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        const bytes = await next();
        if (bytes !== undefined) return controller.enqueue(bytes);
        controller.close();
        controller.byobRequest?.respond(0);
      } catch (error) {
        const reason = request.signal.aborted ? request.signal.reason : error;
        await fail(reason);
        controller.error(reason);
      }
    },
    cancel: (reason) => fail(reason ?? new CairnError("interrupted", "the dump was not read to its end")),
  });
  return { stream, finished };
}

async function startDump(
  access: Access,
  snapshot: Snapshot,
  { selection, signal }: { readonly selection: Selection; readonly signal: AbortSignal },
  options: PostgresOptions,
): Promise<Child> {
  signal.throwIfAborted();
  const server = `the server of ${access.url} (${snapshot.engineVersion})`;
  const { folder } = await toolsFor(majorOf(snapshot.engineVersion), server, options, signal);
  const asked = { connection: connectionTo(access), folder, signal };
  const selected = selectsAll(selection)
    ? []
    : await dumpArguments(asked, selection, (await reach(access, options, signal)).facts.relations);
  const wait = `--lock-wait-timeout=${LOCK_WAIT_MILLISECONDS}`;
  return await startChild(
    clientRequest(asked, "pg_dump", ["--format=custom", "--compress=0", "--no-password", wait, ...selected]),
  );
}

/** A tool that writes what is no dump has failed, and may do better the next time. */
function push(walker: ArchiveWalker, bytes: Uint8Array<ArrayBuffer>, child: Child): void {
  try {
    walker.push(bytes);
  } catch (cause) {
    throw broken(cause, child);
  }
}

function broken(cause: unknown, { name }: Pick<Child, "name">): unknown {
  if (!(cause instanceof CairnError) || cause.code !== "verification") return cause;
  return new CairnError("tool_failed", `${name} wrote a broken dump: ${cause.message}`, { cause });
}

function countsOf(walker: ArchiveWalker): DumpFacts["tables"] & object {
  try {
    return walker.end().flatMap(({ entry, rows }) =>
      rows === undefined ? [] : [{ name: tableName(entry.schema, entry.tag), rows }]
    );
  } catch (cause) {
    throw broken(cause, { name: "pg_dump" });
  }
}

function warningsIn(complaint: string): string[] {
  return complaint.split("\n").filter((line) => /^pg_dump: warning: /.test(line)).map((line) =>
    line.replace("pg_dump: warning: ", "")
  );
}
