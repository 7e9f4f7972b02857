/** Puts some tables into a database that others may have open. For the child process only. */
import type { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import type { Job } from "./job.ts";
import { checkTarget, leaveWal } from "./child_replace.ts";
import type { Calls } from "./messages.ts";
import { openTarget } from "./open.ts";
import { definitions, quoted, storedColumns, tableEntries, type TableEntry } from "./schema.ts";
import { fromSqlite } from "./sqlite_errors.ts";

const SOURCE = "cairn_source";

/**
 * Answers `transplant`: drops the tables that `source` has from `target` and makes them anew, with their rows, row ids,
 * indexes, triggers and counters, in one transaction.
 *
 * Throws `refused` when the schema of a table does not fit into the target, `source_locked` when a lock is held too long.
 */
export function transplantTables(input: Calls["transplant"]["input"], job: Job): null {
  checkTarget(input.target);
  leaveWal(input.source);
  const db = openTarget(input.target, input.lockLimitMilliseconds);
  try {
    attach(db, input.source);
    db.exec("BEGIN IMMEDIATE");
    const entries = tableEntries(db, SOURCE);
    const wanted = entries.filter((entry) => entry.kind !== "shadow");
    wanted.forEach(({ name, kind }, index) => {
      job.progress(index, wanted.length);
      if (tableEntries(db).some((entry) => entry.name === name)) db.exec(`DROP TABLE main.${quoted(name)}`);
      makeTable(db, name);
      if (kind === "virtual") copyShadows(db, name, entries);
      else copyRows(db, name);
    });
    for (const { name } of wanted) finishTable(db, name);
    job.checkParent();
    db.exec("COMMIT");
    return null;
  } catch (error) {
    throw explained(error, input.target);
  } finally {
    db.close();
  }
}

function attach(db: DatabaseSync, source: string): void {
  try {
    db.prepare(`ATTACH ? AS ${SOURCE}`).run(source);
    db.prepare(`SELECT count(*) FROM ${SOURCE}.sqlite_schema`).get();
  } catch (error) {
    if (!(error instanceof Error) || !/same text encoding/.test(error.message)) throw error;
    throw new CairnError("refused", "the dump and the target store text in different encodings", {
      hint: "restore the tables into a new file with --into",
      cause: error,
    });
  }
}

function makeTable(db: DatabaseSync, name: string): void {
  for (const { name: found, sql } of definitions(db, "table", SOURCE)) if (found === name) define(db, sql);
}

/** The text comes out of the dump: only its first statement is run, so that nothing can hide behind it. */
function define(db: DatabaseSync, sql: string): void {
  db.prepare(sql).run();
}

/** Copies rows with their row ids: full-text indexes and programs may refer to them. */
function copyRows(db: DatabaseSync, table: string): void {
  const columns = storedColumns(db, table, SOURCE);
  const rowId = rowIdName(db, table, columns);
  const list = [...(rowId === undefined ? [] : [rowId]), ...columns.map(quoted)].join(", ");
  const name = quoted(table);
  db.exec(`INSERT INTO main.${name} (${list}) SELECT ${list} FROM ${SOURCE}.${name}`);
}

/** The name by which the row id can be reached, or undefined when there is none or ordinary columns hide it. */
function rowIdName(db: DatabaseSync, table: string, columns: readonly string[]): string | undefined {
  const entry = db.prepare("SELECT wr FROM pragma_table_list WHERE schema = ? AND name = ?").get(
    SOURCE,
    table,
  );
  if (entry?.wr !== 0) return undefined;
  const taken = columns.map((column) => column.toLowerCase());
  return ["rowid", "_rowid_", "oid"].find((candidate) => !taken.includes(candidate));
}

/** The whole state of a virtual table of SQLite's own modules is in its shadow tables. */
function copyShadows(db: DatabaseSync, table: string, source: readonly TableEntry[]): void {
  const shadows = shadowsOf(table, source);
  const made = shadowsOf(table, tableEntries(db));
  if (shadows.length === 0 || shadows.join("\0") !== made.join("\0")) {
    throw new CairnError(
      "refused",
      `the virtual table "${table}" cannot be restored into an existing database`,
      {
        hint: "restore it into a new file with --into",
      },
    );
  }
  for (const shadow of shadows) {
    db.exec(`DELETE FROM main.${quoted(shadow)}`);
    copyRows(db, shadow);
  }
}

/** A shadow table belongs to the virtual table with the longest name that begins its own. */
function shadowsOf(table: string, entries: readonly TableEntry[]): readonly string[] {
  const owners = entries.filter((entry) => entry.kind === "virtual").map((entry) => entry.name);
  return entries.filter(({ name, kind }) => {
    if (kind !== "shadow") return false;
    const fitting = owners.filter((owner) => name.toLowerCase().startsWith(`${owner.toLowerCase()}_`));
    return fitting.sort((a, b) => b.length - a.length)[0] === table;
  }).map((entry) => entry.name);
}

function finishTable(db: DatabaseSync, table: string): void {
  for (const type of ["index", "trigger"] as const) {
    for (const { table: owner, sql } of definitions(db, type, SOURCE)) {
      if (owner === table) define(db, sql);
    }
  }
  if (!hasCounters(db, SOURCE) || !hasCounters(db, "main")) return;
  db.prepare("DELETE FROM main.sqlite_sequence WHERE name = ?").run(table);
  db.prepare(
    `INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM ${SOURCE}.sqlite_sequence WHERE name = ?`,
  ).run(table);
}

function hasCounters(db: DatabaseSync, schema: string): boolean {
  const sql = `SELECT 1 FROM ${schema}.sqlite_schema WHERE name = 'sqlite_sequence'`;
  return db.prepare(sql).get() !== undefined;
}

function explained(error: unknown, target: string): unknown {
  if (error instanceof CairnError) return error;
  const known = fromSqlite(error, target);
  if (known !== undefined) return known;
  if (!(error instanceof Error)) return error;
  return new CairnError("refused", `the tables do not fit into ${target}: ${error.message}`, {
    hint: "nothing was changed; restore them into a new file with --into",
    cause: error,
  });
}
