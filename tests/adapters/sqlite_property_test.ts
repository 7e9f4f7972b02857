import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { readHeader } from "../../adapters/sqlite/header.ts";
import { createSqliteAdapter } from "../../adapters/sqlite/mod.ts";
import { type AdapterHarness, backUp, restore } from "../conformance/adapter_harness.ts";
import { readContent, SETTINGS } from "./sqlite_content.ts";
import { openSqliteHarness, withDatabase } from "./sqlite_harness.ts";
import { anyDatabase, makeDatabase, type Recipe } from "./sqlite_recipe.ts";

// Each round starts four to eight processes.
const ROUNDS = { numRuns: 15 };

async function withHarness(
  use: (harness: AdapterHarness, path: (address: { url: string }) => string) => Promise<void>,
) {
  await using harness = await openSqliteHarness({ adapter: createSqliteAdapter(), journalMode: "wal" });
  await use(harness, ({ url }) => url.slice("sqlite:".length));
}

async function make(harness: AdapterHarness, recipe: Recipe) {
  const address = await harness.missing();
  makeDatabase(address.url.slice("sqlite:".length), recipe);
  return address;
}

Deno.test("sqlite: any database comes back equal at a new path, byte for byte the snapshot", () =>
  fc.assert(
    fc.asyncProperty(anyDatabase, (recipe) =>
      withHarness(async (harness, path) => {
        const source = await make(harness, recipe);
        const before = readContent(path(source), [...SETTINGS, "page_size", "auto_vacuum", "journal_mode"]);
        const beside = await harness.leftovers();
        const backup = await backUp(harness, source);
        const target = await harness.missing();
        await restore(harness, backup, target);
        assert.deepEqual(await Deno.readFile(path(target)), backup.bytes);
        assert.deepEqual(await harness.leftovers(), beside);
        assert.deepEqual(readContent(path(target), Object.keys(before.settings)), before);
        checkDocuments(path(target), recipe);
      })),
    ROUNDS,
  ));

Deno.test("sqlite: any database replaces any other, whose journal mode stays", () =>
  fc.assert(
    fc.asyncProperty(anyDatabase, anyDatabase, (recipe, other) =>
      withHarness(async (harness, path) => {
        const source = await make(harness, recipe);
        const target = await make(harness, other);
        const before = readContent(path(source));
        await restore(harness, await backUp(harness, source), target, { overwrite: true });
        assert.equal(isWal(path(target)), isWalRecipe(other));
        assert.deepEqual(readContent(path(target)), before);
        checkDocuments(path(target), recipe);
      })),
    ROUNDS,
  ));

Deno.test("sqlite: any selection of tables comes back, into a new file and beside other tables", () =>
  fc.assert(
    fc.asyncProperty(
      anyDatabase,
      anyDatabase,
      fc.infiniteStream(fc.boolean()),
      (recipe, other, choose) =>
        withHarness(async (harness, path) => {
          const source = await make(harness, recipe);
          const all = await harness.tables(source);
          const tables = all.filter(() => choose.next().value);
          if (tables.length === 0) return;
          const selection = { tables, excludeTables: [] };
          const wanted = readContent(path(source), [], withShadows(tables));
          const backup = await backUp(harness, source);

          const fresh = await harness.missing();
          await restore(harness, backup, fresh, { selection });
          assert.deepEqual([...await harness.tables(fresh)].sort(), [...tables].sort());
          assert.deepEqual(readContent(path(fresh), [], withShadows(tables)), wanted);

          const target = await make(harness, { ...other, encoding: recipe.encoding });
          const others = (await harness.tables(target)).filter((name) => !tables.includes(name));
          const before = readContent(path(target), [], withShadows(others));
          await restore(harness, backup, target, { selection, overwrite: true });
          assert.deepEqual(readContent(path(target), [], withShadows(tables)), wanted);
          assert.deepEqual(readContent(path(target), [], withShadows(others)), before);
          assert.equal(integrity(path(target)), "ok");
          if (tables.includes("documents")) checkDocuments(path(target), recipe);
        }),
    ),
    ROUNDS,
  ));

/** The names of tables, with those in which a full-text index keeps its state. */
function withShadows(tables: readonly string[]): readonly string[] {
  return tables.flatMap((name) =>
    name === "documents"
      ? [name, ...["config", "content", "data", "docsize", "idx"].map((part) => `${name}_${part}`)]
      : [name]
  );
}

function checkDocuments(path: string, { documents }: Recipe): void {
  if (documents.length === 0) return;
  withDatabase(path, (db: DatabaseSync) => {
    db.exec("INSERT INTO documents (documents) VALUES ('integrity-check')");
    assert.deepEqual(
      db.prepare("SELECT body FROM documents ORDER BY rowid").all().map((row) => row.body),
      documents,
    );
  });
}

function integrity(path: string): unknown {
  return withDatabase(path, (db) => Object.values(db.prepare("PRAGMA integrity_check").get() ?? {})[0]);
}

function isWal(path: string): boolean {
  const header = readHeader(path);
  return header.kind === "sqlite" && header.wal;
}

/** A recipe in WAL mode makes a file in WAL mode, for the mode is written at once. */
function isWalRecipe(recipe: Recipe): boolean {
  return recipe.journalMode === "wal";
}
