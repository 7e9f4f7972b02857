/** Whether a user may read what is to be dumped; asked beforehand, so that all that is missing is told at once. */
import { CairnError } from "../../errors.ts";
import { tableName } from "./names.ts";
import type { Relation, ServerFacts } from "./server.ts";

const MOST_NAMES = 5;

/** What the user may not read, in words; empty when nothing is in the way. */
export function unreadable(relations: readonly Relation[]): string[] {
  const names = (wanted: readonly Relation[]) => {
    const all = wanted.map((each) => tableName(each.schema, each.name));
    const more = all.length > MOST_NAMES ? ` and ${all.length - MOST_NAMES} more` : "";
    return all.slice(0, MOST_NAMES).join(", ") + more;
  };
  const hidden = relations.filter((each) => !each.isReadable);
  const filtered = relations.filter((each) => each.isReadable && each.isFiltered);
  return [
    ...hidden.length === 0 ? [] : [`it may not read ${names(hidden)}`],
    ...filtered.length === 0 ? [] : [`row-level security hides rows of ${names(filtered)} from it`],
  ];
}

/** Throws `permission` when a dump of the relations would fail for want of rights. */
export function requireRights(facts: ServerFacts, relations: readonly Relation[]): void {
  const problems = unreadable(relations);
  if (problems.length === 0) return;
  throw new CairnError(
    "permission",
    `the user ${facts.user} cannot back up ${facts.database}: ${problems.join("; ")}`,
    {
      hint: facts.number >= 140_000
        ? `as an administrator: GRANT pg_read_all_data TO "${facts.user}" (and ALTER ROLE … BYPASSRLS for row-level security)`
        : `as an administrator: GRANT USAGE ON SCHEMA … and GRANT SELECT ON … TO "${facts.user}"`,
    },
  );
}
