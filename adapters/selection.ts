/** Turns what a user asked for (`--tables`, `--exclude-tables`) into names that the database has. */
import { CairnError } from "../errors.ts";
import type { Selection } from "./adapter.ts";
import { nearest } from "../near.ts";

/** True when the selection leaves nothing out. */
export function selectsAll(selection: Selection): boolean {
  return selection.tables.length === 0 && selection.excludeTables.length === 0;
}

/**
 * The names of `all` that the selection keeps, in the order of `all`.
 *
 * Throws `not_found` for a name that is not in `all`, `refused` when nothing is left. `where` names the database
 * or the dump in the message.
 */
export function selectTables(
  selection: Selection,
  all: readonly string[],
  where: string,
): readonly string[] {
  for (const name of [...selection.tables, ...selection.excludeTables]) {
    if (all.includes(name)) continue;
    const near = nearest(name, all);
    throw new CairnError("not_found", `${where} has no table "${name}"`, {
      hint: near === undefined ? tableList(all) : `did you mean "${near}"?`,
    });
  }
  const kept = all.filter((name) =>
    (selection.tables.length === 0 || selection.tables.includes(name)) &&
    !selection.excludeTables.includes(name)
  );
  if (kept.length === 0 && all.length > 0) {
    throw new CairnError("refused", `the selection leaves no table of ${where}`, {
      hint: "exclude fewer tables",
    });
  }
  return kept;
}

function tableList(all: readonly string[]): string {
  if (all.length === 0) return "it has no tables at all";
  const shown = all.slice(0, 10).join(", ");
  return all.length > 10 ? `its tables are ${shown}, and ${all.length - 10} more` : `its tables are ${shown}`;
}
