/** Reduces a database file that nobody else uses to a selection of its tables. For the child process only. */
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import type { Selection } from "../adapter.ts";
import { selectsAll, selectTables } from "../selection.ts";
import { countRows, quickCheck } from "./child_check.ts";
import type { Calls } from "./messages.ts";
import { createPrivate, readPrivate } from "./open.ts";
import { definitions, quoted, storedColumns, tableNames } from "./schema.ts";
import { fromSqlite } from "./sqlite_errors.ts";

/** Answers `settle`. */
export function settleFile(input: Calls["settle"]["input"]): Calls["settle"]["output"] {
  const what = "the restored database";
  try {
    check(input.path, what);
    if (!selectsAll(input.selection)) {
      Deno.renameSync(input.path, input.scratch);
      reduceTo(input.scratch, input.selection, input.path, "the dump");
    }
    return { tables: check(input.path, what) };
  } catch (error) {
    const known = error instanceof CairnError ? error : fromSqlite(error, what);
    if (known?.code !== "source_damaged" && known?.code !== "source_invalid") throw known ?? error;
    throw new CairnError("verification", known.message, {
      hint: "the dump itself is damaged: restore another artifact",
      cause: error,
    });
  }
}

function check(path: string, what: string): Calls["settle"]["output"]["tables"] {
  return readPrivate(path, (db) => {
    quickCheck(db, what);
    return countRows(db).tables;
  });
}

/**
 * Drops from the file `path` all tables that the selection leaves out, and the views and triggers that no longer work
 * without them, and writes what is left to the new file `target`; `path` is removed.
 *
 * `VACUUM INTO` and not `VACUUM`, because it keeps the row ids of tables without a primary key.
 */
export function reduceTo(path: string, selection: Selection, target: string, what: string): void {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    db.exec("PRAGMA trusted_schema = 0");
    const all = tableNames(db);
    const kept = selectTables(selection, all, what);
    // The file is a copy that is made anew after a crash, so that nothing has to be synced; but a journal in memory would
    // grow with the tables that are dropped.
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN");
    for (const name of all) if (!kept.includes(name)) dropTable(db, name);
    dropBroken(db);
    db.exec("COMMIT");
    createPrivate(target);
    db.prepare("VACUUM INTO ?").run(target);
  } finally {
    db.close();
  }
  Deno.removeSync(path);
}

function dropTable(db: DatabaseSync, name: string): void {
  try {
    db.exec(`DROP TABLE ${quoted(name)}`);
  } catch (error) {
    if (!(error instanceof Error) || !/no such module/.test(error.message)) throw error;
    throw new CairnError("refused", `table "${name}" cannot be left out: ${error.message}`, {
      hint: "take the whole database, which needs no module",
      cause: error,
    });
  }
}

/** Views can stand on views, so that this goes on until nothing is found any more. */
function dropBroken(db: DatabaseSync): void {
  for (let found = true; found;) {
    found = false;
    for (const view of definitions(db, "view")) {
      if (!missesTable(db, `SELECT 1 FROM ${quoted(view.name)}`)) continue;
      db.exec(`DROP VIEW ${quoted(view.name)}`);
      found = true;
    }
  }
  const triggers = definitions(db, "trigger");
  const broken = triggers.filter((trigger) => isBroken(db, trigger.name, trigger.table, triggers));
  for (const { name } of broken) db.exec(`DROP TRIGGER ${quoted(name)}`);
}

/** Compiles what fires a trigger, with all other triggers of its table out of the way. */
function isBroken(
  db: DatabaseSync,
  trigger: string,
  table: string,
  triggers: readonly { readonly name: string; readonly table: string }[],
): boolean {
  const target = quoted(table);
  const columns = storedColumns(db, table).map((name) => `${quoted(name)} = ${quoted(name)}`).join(", ");
  db.exec("SAVEPOINT alone");
  try {
    for (const other of triggers) {
      if (other.name !== trigger && other.table === table) db.exec(`DROP TRIGGER ${quoted(other.name)}`);
    }
    return [
      `INSERT INTO ${target} DEFAULT VALUES`,
      `DELETE FROM ${target}`,
      `UPDATE ${target} SET ${columns}`,
    ]
      .some((sql) => missesTable(db, `EXPLAIN ${sql}`));
  } finally {
    db.exec("ROLLBACK TO alone; RELEASE alone");
  }
}

function missesTable(db: DatabaseSync, sql: string): boolean {
  try {
    db.prepare(sql);
    return false;
  } catch (error) {
    return error instanceof Error && /no such table/.test(error.message);
  }
}
