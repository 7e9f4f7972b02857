/** The check stage: what was loaded has the tables and rows that were there when the backup was made. */
import type { Loaded, Selection } from "../../adapters/adapter.ts";
import { CairnError } from "../../errors.ts";
import type { PrivatePart } from "../manifest.ts";

/** Throws `verification` when a table is missing or has another number of rows than the manifest says. */
export function checkTables(loaded: Loaded, opened: PrivatePart, { tables, excludeTables }: Selection): void {
  const rows = new Map(loaded.tables.map((table) => [table.name, table.rows]));
  for (const expected of opened.tables) {
    if (tables.length > 0 && !tables.includes(expected.name)) continue;
    if (excludeTables.includes(expected.name)) continue;
    const found = rows.get(expected.name);
    if (found === expected.rows) continue;
    const what = found === undefined ? "is missing" : `has ${found} rows, the backup had ${expected.rows}`;
    throw new CairnError("verification", `after loading, the table "${expected.name}" ${what}`, {
      hint: "the target was not touched; please report this with the log",
    });
  }
}
