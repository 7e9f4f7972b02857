/** Reading the schema of a database. For the child process only. */
import type { DatabaseSync } from "node:sqlite";

/** A table as SQLite lists it. */
export type TableEntry = { readonly name: string; readonly kind: "table" | "virtual" | "shadow" };

/** An identifier, quoted for SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** All tables of a schema but SQLite's own, by name. */
export function tableEntries(db: DatabaseSync, schema = "main"): readonly TableEntry[] {
  const entries: TableEntry[] = [];
  for (const row of db.prepare(`PRAGMA ${quoted(schema)}.table_list`).all()) {
    const { name, type: kind } = row;
    if (row.schema !== schema || typeof name !== "string" || /^sqlite_/i.test(name)) continue;
    if (kind === "table" || kind === "virtual" || kind === "shadow") entries.push({ name, kind });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The names of the tables that a user made: ordinary and virtual ones. */
export function tableNames(db: DatabaseSync, schema = "main"): readonly string[] {
  return tableEntries(db, schema).filter((entry) => entry.kind !== "shadow").map((entry) => entry.name);
}

/** What `sqlite_schema` holds of some type, in the order of creation; automatic indexes are left out. */
export function definitions(
  db: DatabaseSync,
  type: "table" | "index" | "trigger" | "view",
  schema = "main",
): readonly { readonly name: string; readonly table: string; readonly sql: string }[] {
  const rows = db.prepare(
    `SELECT name, tbl_name, sql FROM ${
      quoted(schema)
    }.sqlite_schema WHERE type = ? AND sql IS NOT NULL ORDER BY rowid`,
  ).all(type);
  return rows.map((row) => ({ name: String(row.name), table: String(row.tbl_name), sql: String(row.sql) }));
}

/** The columns of a table that can be written to (generated and hidden ones cannot). */
export function storedColumns(db: DatabaseSync, table: string, schema = "main"): readonly string[] {
  const rows = db.prepare("SELECT name FROM pragma_table_xinfo(?, ?) WHERE hidden = 0 ORDER BY cid").all(
    table,
    schema,
  );
  return rows.map((row) => String(row.name));
}
