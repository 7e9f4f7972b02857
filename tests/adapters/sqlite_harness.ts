/** SQLite databases for tests: made, written to by another process, read, removed. */
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Adapter, Address } from "../../adapters/adapter.ts";
import { tableNames } from "../../adapters/sqlite/schema.ts";
import type { AdapterHarness, Writer } from "../conformance/adapter_harness.ts";
import { readContent, SETTINGS } from "./sqlite_content.ts";

/** How a harness differs from another. */
export interface SqliteHarnessOptions {
  readonly adapter: Adapter;
  readonly journalMode: "wal" | "delete";
  /** Settings that the adapter keeps, by the names of their pragmas. */
  readonly settings?: readonly string[];
  readonly selectsOnLoad?: boolean;
  readonly loadsInPlace?: boolean;
}

/** Makes a harness of files in a temporary folder. */
export async function openSqliteHarness(options: SqliteHarnessOptions): Promise<AdapterHarness> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const databases = `${folder}/databases`;
  await Deno.mkdir(databases);
  const settings = options.settings ?? SETTINGS;
  const { engine } = options.adapter;
  let made = 0;
  const next = (): Address => ({ engine, url: `${engine}:${databases}/database ${made++}.db` });
  const pathOf = (address: Address) => address.url.slice(engine.length + 1);
  return {
    adapter: options.adapter,
    folder,
    selectsOnLoad: options.selectsOnLoad ?? true,
    loadsInPlace: options.loadsInPlace ?? false,
    create: (content) => {
      const address = next();
      createDatabase(pathOf(address), content, options.journalMode);
      return Promise.resolve(address);
    },
    missing: () => Promise.resolve(next()),
    read: (address) => Promise.resolve(readContent(pathOf(address), settings)),
    tables: (address) => Promise.resolve(withDatabase(pathOf(address), (db) => tableNames(db))),
    total: (address) =>
      Promise.resolve(withDatabase(pathOf(address), (db) => {
        return Number(db.prepare("SELECT sum(balance) AS total FROM account").get()?.total);
      })),
    startWriter: (address) => startWriter(pathOf(address)),
    leftovers: async () => {
      const names = await Array.fromAsync(Deno.readDir(databases), (entry) => entry.name);
      return names.filter((name) => !/^database \d+\.db$/.test(name)).sort();
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Makes a database file. */
export function createDatabase(
  path: string,
  content: "filled" | "other" | "bare",
  journalMode = "wal",
): void {
  withDatabase(path, (db) => {
    db.exec(`PRAGMA journal_mode = ${journalMode}; PRAGMA user_version = 1`);
    if (content === "filled") db.exec(FILLED);
    if (content === "other") db.exec("CREATE TABLE other (a); INSERT INTO other VALUES (1)");
  });
}

const FILLED = `
  PRAGMA user_version = 7;
  PRAGMA application_id = 1234;
  CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
  CREATE TABLE note (body, weight REAL, raw BLOB, UNIQUE (body));
  CREATE INDEX note_weight ON note (weight);
  CREATE TABLE log (at INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO account SELECT i, 1000 FROM n;
  INSERT INTO note VALUES ('it''s "quoted"', 1.5, x'00ff'), (NULL, 9e999, NULL), ('zwölf ✓', -1e-300, x''), (12, 0.1, 'x');
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO log (what) SELECT 'entry ' || i || hex(zeroblob(100)) FROM n;
`;

/** Opens a database for a moment. */
export function withDatabase<T>(path: string, use: (db: DatabaseSync) => T): T {
  // Deno's types do not know the option yet; it lets tests spoil a schema.
  const options = { enableForeignKeyConstraints: false, defensive: false };
  const db = new DatabaseSync(path, options);
  try {
    return use(db);
  } finally {
    db.close();
  }
}

/** Runs `sqlite_writer.ts` in a process of its own; `mode` is what it does. */
export async function startWriter(path: string, mode = "transfer"): Promise<Writer> {
  const script = fileURLToPath(new URL("./sqlite_writer.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--no-lock", "--allow-all", script, path, mode],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  if (value === undefined) throw new Error(`the writer ended with ${(await child.status).code}`);
  return {
    async stop() {
      await child.stdin.close();
      let count = "";
      for (let part = await lines.read(); !part.done; part = await lines.read()) count += part.value;
      const status = await child.status;
      if (!status.success) throw new Error(`the writer ended with ${status.code}`);
      return Number(count);
    },
  };
}
