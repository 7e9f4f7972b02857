/** Random databases: what they hold, and how they are made. */
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { quoted } from "../../adapters/sqlite/schema.ts";

/** A value that SQLite stores. */
export type Value = null | bigint | number | string | Uint8Array<ArrayBuffer>;

/** How a table is made. */
export type TableKind = "plain" | "without rowid" | "strict" | "generated" | "autoincrement";

/** A table with its rows. */
export interface TableRecipe {
  readonly name: string;
  readonly kind: TableKind;
  readonly columns: readonly [string, string];
  readonly rows: readonly (readonly [Value, Value])[];
  readonly index: boolean;
  readonly trigger: boolean;
  readonly view: boolean;
  /** Rows with these indexes are deleted again, so that there are gaps and free pages. */
  readonly deleted: readonly number[];
}

/** A database. */
export interface Recipe {
  readonly pageSize: number;
  readonly journalMode: "wal" | "delete" | "truncate";
  readonly encoding: "UTF-8" | "UTF-16le" | "UTF-16be";
  readonly userVersion: number;
  readonly applicationId: number;
  readonly autoVacuum: 0 | 1 | 2;
  readonly tables: readonly TableRecipe[];
  readonly documents: readonly string[];
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom("", "it's", '"quoted"', "a\0b", "\u{1F600}", "x".repeat(5000), "\r\n", "[x]", "`y`"),
);

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.constantFrom(Infinity, -Infinity, 0.1, 5e-324, 1.7976931348623157e308, -0, 2 ** 53),
  text,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
  fc.constant(new Uint8Array(20_000).fill(7)),
);

/** A part of a name: SQL has to quote it, and SQLite keeps it as it is. */
const nameEnd = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom("", "'", '"', ";", " drop table", "ß→✓", "select", "[", "`", "%", "?", ".", "a\nb"),
).filter((part) => !part.includes("\0"));

const table = (position: number): fc.Arbitrary<TableRecipe> =>
  fc.record({
    // The beginning keeps names apart without regard to case, and from those of SQLite.
    name: nameEnd.map((end) => `t${position}${end}`),
    kind: fc.constantFrom<TableKind>("plain", "without rowid", "strict", "generated", "autoincrement"),
    columns: fc.tuple(nameEnd.map((end) => `a${end}`), nameEnd.map((end) => `b${end}`)),
    rows: fc.array(fc.tuple(value, value), { maxLength: 12 }),
    index: fc.boolean(),
    trigger: fc.boolean(),
    view: fc.boolean(),
    deleted: fc.array(fc.nat(11), { maxLength: 4 }),
  });

/** Any database. */
export const anyDatabase: fc.Arbitrary<Recipe> = fc.record({
  pageSize: fc.constantFrom(512, 1024, 4096, 8192, 65_536),
  journalMode: fc.constantFrom("wal", "delete", "truncate"),
  encoding: fc.constantFrom("UTF-8", "UTF-16le", "UTF-16be"),
  userVersion: fc.integer(),
  applicationId: fc.integer(),
  autoVacuum: fc.constantFrom(0, 1, 2),
  tables: fc.nat(4).chain((count) =>
    fc.tuple(...Array.from({ length: count }, (_, position) => table(position)))
  ),
  documents: fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
});

/** Makes the database; a full-text index `documents` is in it when the recipe has documents. */
export function makeDatabase(path: string, recipe: Recipe): void {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    db.exec(
      `PRAGMA page_size = ${recipe.pageSize}; PRAGMA encoding = '${recipe.encoding}';
       PRAGMA auto_vacuum = ${recipe.autoVacuum}; PRAGMA journal_mode = ${recipe.journalMode};
       PRAGMA user_version = ${recipe.userVersion}; PRAGMA application_id = ${recipe.applicationId}`,
    );
    for (const each of recipe.tables) makeTable(db, each);
    if (recipe.documents.length === 0) return;
    db.exec("CREATE VIRTUAL TABLE documents USING fts5 (body)");
    const insert = db.prepare("INSERT INTO documents VALUES (?)");
    for (const document of recipe.documents) insert.run(document);
  } finally {
    db.close();
  }
}

function makeTable(db: DatabaseSync, { name, kind, columns, rows, ...recipe }: TableRecipe): void {
  const [a, b] = [quoted(columns[0]), quoted(columns[1])];
  const target = quoted(name);
  const body: Record<TableKind, string> = {
    "plain": `(${a}, ${b})`,
    "without rowid": `(key INTEGER PRIMARY KEY, ${a}, ${b}) WITHOUT ROWID`,
    "strict": `(${a} ANY, ${b} ANY) STRICT`,
    "generated": `(${a}, ${b}, g AS (typeof(${a})), s AS (length(${b})) STORED)`,
    "autoincrement": `(key INTEGER PRIMARY KEY AUTOINCREMENT, ${a}, ${b})`,
  };
  db.exec(`CREATE TABLE ${target} ${body[kind]}`);
  const keyed = kind === "without rowid";
  const insert = db.prepare(
    `INSERT INTO ${target} (${keyed ? "key, " : ""}${a}, ${b}) VALUES (${keyed ? "?, " : ""}?, ?)`,
  );
  rows.forEach((row, index) => insert.run(...(keyed ? [index] : []), ...row));
  const row = keyed || kind === "autoincrement" ? "key" : "rowid";
  for (const index of recipe.deleted) db.exec(`DELETE FROM ${target} WHERE ${row} = ${index}`);
  if (recipe.index) {
    db.exec(`CREATE INDEX ${quoted(`i${name}`)} ON ${target} (${b}, ${a} DESC) WHERE ${a} IS NOT NULL`);
  }
  if (recipe.view) db.exec(`CREATE VIEW ${quoted(`v${name}`)} AS SELECT ${a} AS x FROM ${target}`);
  if (recipe.trigger) {
    db.exec(`CREATE TRIGGER ${quoted(`r${name}`)} AFTER DELETE ON ${target} BEGIN
      INSERT INTO ${target} (${a}) SELECT old.${a} WHERE 0; END`);
  }
}
