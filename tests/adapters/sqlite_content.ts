/** Reads everything that an SQLite file holds, for comparisons. */
import { DatabaseSync } from "node:sqlite";
import { definitions, quoted, storedColumns, tableEntries } from "../../adapters/sqlite/schema.ts";

/** All that a restore has to keep. */
export interface Content {
  readonly schema: readonly unknown[];
  readonly rows: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Which settings are kept by every way of restoring. */
export const SETTINGS = ["user_version", "application_id", "encoding"] as const;

/** Reads schema, typed rows (with row ids) and settings of a database; `only` limits it to some tables. */
export function readContent(
  path: string,
  settings: readonly string[] = SETTINGS,
  only?: readonly string[],
): Content {
  const db = new DatabaseSync(path);
  try {
    const rows: Record<string, string[][]> = {};
    for (const { name, kind } of tableEntries(db)) {
      if (kind === "virtual" || (only !== undefined && !only.includes(name))) continue;
      rows[name] = rowsOf(db, name);
    }
    return {
      schema: (["table", "index", "view", "trigger"] as const).flatMap((type) =>
        definitions(db, type).filter(({ table }) => only === undefined || only.includes(table))
          .map(({ name, table, sql }) => JSON.stringify([type, name, table, sql]))
      ).sort(),
      rows,
      settings: Object.fromEntries(
        settings.map((name) => [name, Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]]),
      ),
    };
  } finally {
    db.close();
  }
}

/** Every value with its type; texts and blobs as hexadecimal bytes, so that nothing is lost on the way. */
function rowsOf(db: DatabaseSync, table: string): string[][] {
  const exact = (name: string) =>
    `typeof(${name}), CASE WHEN typeof(${name}) IN ('text', 'blob') THEN hex(CAST(${name} AS BLOB)) ELSE ${name} END`;
  const columns = storedColumns(db, table).map(quoted);
  const withRowId =
    db.prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?").get(table)?.wr === 0;
  const list = [...(withRowId ? ["rowid"] : []), ...columns];
  const order = withRowId ? "rowid" : columns.join(", ");
  const select = db.prepare(
    `SELECT ${list.map(exact).join(", ")} FROM ${quoted(table)} ORDER BY ${order}`,
  );
  select.setReadBigInts(true);
  return select.all().map((row) =>
    Object.values(row).map((value) => (Object.is(value, -0) ? "-0" : String(value)))
  );
}
