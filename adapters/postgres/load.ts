/**
 * Loads a dump: into a new database under another name, which `commit` renames, or, where the database exists, into that in
 * one transaction that empties it first.
 */
import * as v from "valibot";
import { CairnError } from "../../errors.ts";
import type { Access, Loaded, LoadRequest } from "../adapter.ts";
import { selectsAll } from "../selection.ts";
import { connectionTo } from "./address.ts";
import { createArchiveWalker } from "./archive.ts";
import { CLEAN_SQL } from "./clean.ts";
import { createDatabaseSql } from "./create.ts";
import { writeEntryList } from "./entries.ts";
import { feedDump, type Opened } from "./feed.ts";
import type { PostgresOptions } from "./options.ts";
import { type Asked, identifier, literal, queryJson, runSql } from "./psql.ts";
import { type Reached, reachServer } from "./server.ts";
import { endSessions, sessionName } from "./sessions.ts";
import {
  type Content,
  contentOf,
  dropDatabaseSql,
  findContent,
  isEmpty,
  markSql,
  temporaryDatabase,
} from "./target.ts";
import { majorForFormat, malformed, type Toc } from "./toc.ts";
import { toolsFor } from "./tools.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CLEANUP_MILLISECONDS = 60_000;

/** See `Adapter.load`. */
export async function loadDump(
  access: Access,
  format: string,
  plain: ReadableStream<Bytes>,
  request: LoadRequest,
  options: PostgresOptions,
): Promise<Loaded> {
  const reader = plain.getReader();
  const { signal } = request;
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    refuseForeign(format, request);
    const opened = await openDump(reader, signal);
    const content = await findContent(access, options, signal);
    return content === undefined
      ? await loadNew(access, opened, request, options)
      : await loadInPlace(access, opened, content, request, options);
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function refuseForeign(format: string, { selection }: LoadRequest): void {
  if (format !== "pgdump") {
    throw new CairnError("refused", `a dump of format "${format}" cannot be loaded into PostgreSQL`, {
      hint: "write the dump to a file with `cairn export`, and load it with the tools of its engine",
    });
  }
  if (selectsAll(selection)) return;
  throw new CairnError("refused", "a selection of a PostgreSQL dump cannot be restored by this version yet", {
    hint: "write it to a file with `cairn export`, and use pg_restore with --table or --use-list",
  });
}

/** Reads up to the end of the table of contents, before anything is touched. */
async function openDump(reader: ReadableStreamDefaultReader<Bytes>, signal: AbortSignal): Promise<Opened> {
  const walker = createArchiveWalker();
  const head: Bytes[] = [];
  while (walker.toc === undefined) {
    const { value, done } = await reader.read();
    signal.throwIfAborted();
    if (done) throw malformed("it ends within its table of contents");
    head.push(value);
    walker.push(value);
  }
  return { head, rest: reader, walker, toc: walker.toc };
}

async function loadNew(
  access: Access,
  opened: Opened,
  request: LoadRequest,
  options: PostgresOptions,
): Promise<Loaded> {
  const server = await reachServer(access, options, request.signal);
  const { database } = connectionTo(access);
  const temporary = temporaryDatabase(database, request.run);
  await endSessions(server, request.run);
  await runSql(server, dropDatabaseSql(temporary));
  try {
    await runSql(server, createDatabaseSql(temporary, opened.toc, server.facts.number));
    const into = { access, database: temporary, before: schemasOf(opened.toc), after: "" };
    const tables = await feedInto(opened, server, into, request, options);
    const oid = await queryJson(
      server,
      `select oid::bigint from pg_database where datname = ${literal(temporary)}`,
    );
    if (typeof oid !== "number") {
      throw new CairnError("io", `the database ${temporary} was dropped by somebody`);
    }
    return { tables, facts: { way: "rename", temporary, oid } };
  } catch (error) {
    await afterwards((signal) => runSql({ ...server, signal }, dropDatabaseSql(temporary)));
    throw error;
  }
}

async function loadInPlace(
  access: Access,
  opened: Opened,
  content: Content,
  request: LoadRequest,
  options: PostgresOptions,
): Promise<Loaded> {
  const isOurs = content.marker?.run === request.run;
  if (!isEmpty(content) && !request.overwrite && !isOurs) {
    throw new CairnError("target_exists", `the database ${access.url} has ${contentOf(content)}`, {
      hint: "restore beside it with --into, or say --overwrite",
    });
  }
  const { reached } = content;
  await endSessions(reached, request.run);
  const wasEmpty = isOurs ? content.marker?.wasEmpty === true : isEmpty(content);
  try {
    const { database } = connectionTo(access);
    const into = {
      access,
      database,
      before: `${CLEAN_SQL}${schemasOf(opened.toc)}`,
      after: markSql({ run: request.run, wasEmpty }),
    };
    return { tables: await feedInto(opened, reached, into, request, options), facts: { way: "in-place" } };
  } catch (error) {
    // A killed client's session may still hold its locks.
    await afterwards((signal) => endSessions({ ...reached, signal }, request.run));
    throw error;
  }
}

async function feedInto(
  opened: Opened,
  server: Reached,
  into: {
    readonly access: Access;
    readonly database: string;
    readonly before: string;
    readonly after: string;
  },
  request: LoadRequest,
  options: PostgresOptions,
) {
  const { facts, signal } = server;
  const wanted = Math.max(Math.floor(facts.number / 10_000), majorForFormat(opened.toc.format));
  const { folder } = await toolsFor(wanted, `a dump by pg_dump ${opened.toc.toolVersion}`, options, signal);
  const connection = connectionTo(into.access, into.database);
  const named = { ...connection.environment, PGAPPNAME: sessionName(request.run, request.generation) };
  return await feedDump(opened, {
    connection: { ...connection, environment: named },
    folder,
    signal: request.signal,
    settings: await settingsOf(server),
    before: into.before,
    after: into.after,
    withoutOwners: request.withoutOwners ?? false,
    list: await writeEntryList(opened.toc, request.scratch),
    what: `loading into ${into.access.url}`,
  });
}

async function settingsOf(asked: Asked): Promise<ReadonlySet<string>> {
  const names = await queryJson(asked, "select json_agg(lower(name)) from pg_settings");
  return new Set(v.parse(v.array(v.string()), names));
}

/** A dump of some tables has not the schemas in which they are. */
function schemasOf({ entries }: Toc): string {
  const made = new Set(entries.filter((entry) => entry.kind === "SCHEMA").map((entry) => entry.tag));
  const wanted = new Set(entries.map((entry) => entry.schema));
  const missing = [...wanted].filter((name) =>
    name !== "" && name !== "public" && !name.startsWith("pg_") && !made.has(name)
  );
  return missing.map((name) => `CREATE SCHEMA IF NOT EXISTS ${identifier(name)};\n`).join("");
}

/** Tidies up after a failure, even when the signal of the load is aborted; what fails now must not hide why. */
async function afterwards(tidy: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error("tidying up took too long")), CLEANUP_MILLISECONDS);
  await tidy(limit.signal).catch(() => {});
  clearTimeout(timer);
}
