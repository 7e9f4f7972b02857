/** Checks a database file and counts its rows. For the child process only. */
import type { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import type { TableCount } from "../adapter.ts";
import { quoted, tableEntries, tableNames } from "./schema.ts";

/** Rows that break a constraint are no damage of the file: such databases exist, and are to be backed up. */
const BREACH =
  /^(NULL|NUMERIC|TEXT|INT|INTEGER|REAL|BLOB|non-\w+|CHECK constraint failed|UNIQUE) ?.*( value in |failed in )/i;

/** What this SQLite lacks though the program of the database has it. */
const FOREIGN =
  /no such (collation sequence|module|function|tokenizer)|unknown tokenizer|no such column: rank/i;

/** What a check found that is no damage. */
export type CheckResult = { readonly warnings: readonly string[] };

/**
 * Runs `PRAGMA quick_check`. Tables that need a collation, module or function that only their own program has are
 * left out, with a warning.
 *
 * Throws `source_damaged` when the file is damaged; `what` names it.
 */
export function quickCheck(db: DatabaseSync, what: string): CheckResult {
  db.exec("PRAGMA ignore_check_constraints = 1");
  const findings = checkWhole(db) ?? checkEachTable(db);
  const damage = findings.filter((line) => line.damage);
  if (damage.length > 0) {
    throw new CairnError(
      "source_damaged",
      `${what} is damaged: ${damage.slice(0, 3).map((d) => d.text).join("; ")}`,
      {
        hint: "restore the last good backup, or try `.recover` of the sqlite3 tool on a copy",
      },
    );
  }
  return { warnings: findings.map((line) => line.text) };
}

type Finding = { readonly text: string; readonly damage: boolean };

function checkWhole(db: DatabaseSync): Finding[] | undefined {
  try {
    return findingsOf(db, "PRAGMA quick_check");
  } catch (error) {
    if (isForeign(error)) return undefined;
    throw error;
  }
}

function checkEachTable(db: DatabaseSync): Finding[] {
  return tableEntries(db).flatMap(({ name }) => {
    try {
      return findingsOf(db, `PRAGMA quick_check(${quoted(name)})`);
    } catch (error) {
      if (!isForeign(error)) throw error;
      return [{ text: `table "${name}" was not checked: ${error.message}`, damage: false }];
    }
  });
}

function findingsOf(db: DatabaseSync, sql: string): Finding[] {
  const lines = db.prepare(sql).all().map((row) => String(Object.values(row)[0]));
  return lines.filter((line) => line !== "ok").map((text) => ({ text, damage: !BREACH.test(text) }));
}

/** Counts the rows of every ordinary and virtual table; one that this SQLite cannot read gets a warning instead. */
export function countRows(
  db: DatabaseSync,
): { readonly tables: readonly TableCount[]; readonly warnings: readonly string[] } {
  const tables: TableCount[] = [];
  const warnings: string[] = [];
  for (const name of tableNames(db)) {
    try {
      const row = db.prepare(`SELECT count(*) AS rows FROM ${quoted(name)}`).get();
      tables.push({ name, rows: Number(row?.rows) });
    } catch (error) {
      if (!isForeign(error)) throw error;
      warnings.push(`the rows of table "${name}" were not counted: ${error.message}`);
    }
  }
  return { tables, warnings };
}

function isForeign(error: unknown): error is Error {
  return error instanceof Error && FOREIGN.test(error.message);
}
