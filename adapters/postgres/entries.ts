/** Which entries of a dump are loaded: all, but what refers to tables that the dump has not. */
import { join } from "node:path";
import type { Toc, TocEntry } from "./toc.ts";

/**
 * Writes the list for `pg_restore --use-list`, or returns undefined when all entries are wanted. A dump of some tables has the
 * foreign keys of those to all others.
 */
export async function writeEntryList(toc: Toc, folder: string): Promise<string | undefined> {
  const wanted = loadable(toc);
  if (wanted.length === toc.entries.length) return undefined;
  const file = join(folder, "entries.list");
  await Deno.writeTextFile(file, wanted.map(({ id }) => `${id};\n`).join(""), { mode: 0o600 });
  return file;
}

/** The entries that can be loaded. */
export function loadable({ entries }: Toc): readonly TocEntry[] {
  const tables = new Set(
    entries.filter((each) => each.kind === "TABLE").map((each) => `${each.schema}.${each.tag}`),
  );
  const gone = new Set<string>();
  for (const entry of entries) {
    const other = entry.kind === "FK CONSTRAINT" ? referenced(entry.definition) : undefined;
    if (other !== undefined && !tables.has(other)) gone.add(`CONSTRAINT ${entry.tag}`);
  }
  return entries.filter((each) =>
    !(each.kind === "FK CONSTRAINT" && gone.has(`CONSTRAINT ${each.tag}`)) &&
    // Its tag is `CONSTRAINT name ON table`, that of the key is `table name`.
    !(each.kind === "COMMENT" && [...gone].some((key) => isCommentOf(each.tag, key)))
  );
}

function isCommentOf(tag: string, key: string): boolean {
  const [, table, name] = /^CONSTRAINT (.*) (.*)$/.exec(key) ?? [];
  return tag === `CONSTRAINT ${name} ON ${table}`;
}

const NAME = String.raw`(?:"(?:[^"]|"")+"|[^\s".(]+)`;
const REFERENCES = new RegExp(String.raw` REFERENCES (?:(${NAME})\.)?(${NAME})\(`);

/** The table that a foreign key refers to, as `schema.name`. */
function referenced(definition: string): string | undefined {
  const [, schema = "", name] = REFERENCES.exec(definition) ?? [];
  return name === undefined ? undefined : `${plain(schema)}.${plain(name)}`;
}

function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
