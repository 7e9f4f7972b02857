/**
 * The catalog: a cache of what the manifests of the known stores say, so that listing is instant. It is never the truth:
 * it can be deleted at any time and is rebuilt from the stores.
 */
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../errors.ts";
import type { Manifest } from "./manifest.ts";

/** What a list shows of an artifact. */
export type CatalogEntry = {
  readonly id: string;
  readonly label: string;
  readonly type: string;
  readonly engine: string;
  readonly createdAt: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly parts: number;
  readonly encryption: string;
  readonly store: string;
  /** The key of the manifest in the store. */
  readonly manifest: string;
};

/** Which entries are wanted. */
export interface CatalogFilter {
  readonly store?: string | undefined;
  readonly label?: string | undefined;
  /** At most so many, the newest first. */
  readonly limit?: number | undefined;
}

/** The open catalog. */
export interface Catalog {
  /** Adds or replaces an artifact. */
  add(store: string, key: string, manifest: Manifest): void;
  /** Forgets an artifact. */
  remove(store: string, key: string): void;
  /** The entries, newest first. */
  list(filter?: CatalogFilter): CatalogEntry[];
  /** The manifest keys of a store's entries in the folder of a label. */
  keys(store: string, label: string): Set<string>;
  /** The labels of a store that have entries. */
  labels(store: string): string[];
  /** The labels of all stores. */
  allLabels(): string[];
  /** The stores that have entries. */
  stores(): string[];
  /** Forgets everything of one store. */
  clear(store: string): void;
  /** What {@linkcode Catalog.setStamp} kept for the folder of a label. */
  stamp(store: string, label: string): string | undefined;
  /** Keeps by what the folder of a label is known again as it was when it was listed; undefined forgets it. */
  setStamp(store: string, label: string, stamp: string | undefined): void;
  /** Makes several changes as one. */
  together(change: () => void): void;
  close(): void;
}

const VERSION = 2;
const SCHEMA = `
  CREATE TABLE artifact (
    store TEXT NOT NULL, manifest TEXT NOT NULL, id TEXT NOT NULL, label TEXT NOT NULL, type TEXT NOT NULL,
    engine TEXT NOT NULL, createdAt TEXT NOT NULL, sizeBytes INTEGER NOT NULL, storedBytes INTEGER NOT NULL,
    parts INTEGER NOT NULL, encryption TEXT NOT NULL, PRIMARY KEY (store, manifest)) STRICT, WITHOUT ROWID;
  CREATE INDEX newest ON artifact (id);
  CREATE TABLE folder (
    store TEXT NOT NULL, label TEXT NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY (store, label)) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};`;

/** Opens the catalog in the state folder; a missing, damaged or foreign one is begun anew, since it is only a cache. */
export function openCatalog(home: string): Catalog {
  const path = `${home}/catalog.db`;
  let database: DatabaseSync;
  try {
    database = open(path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CairnError("permission", `the catalog ${path} cannot be opened: permission denied`, {
        cause: error,
        hint: "run Cairn as the owner of its state folder, or set CAIRN_HOME",
      });
    }
    if (!(error instanceof Error) || !/not a database|malformed|corrupt|foreign/.test(error.message)) {
      throw new CairnError("state_damaged", `the catalog ${path} cannot be opened`, {
        cause: error,
        hint: "it is only a cache: delete it and run `cairn catalog rebuild`",
      });
    }
    for (const suffix of ["", "-wal", "-shm"]) removeIfThere(path + suffix);
    database = open(path);
  }
  return catalogOf(database);
}

function open(path: string): DatabaseSync {
  Deno.openSync(path, { create: true, append: true, mode: 0o600 }).close();
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // Losing the last entries in a power loss is fine: the stores have them.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
    const version = database.prepare("PRAGMA user_version").get()?.user_version;
    if (version === 0) database.exec(SCHEMA);
    else if (version !== VERSION) throw new Error("foreign version");
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function catalogOf(database: DatabaseSync): Catalog {
  const text = (value: unknown) => String(value);
  return {
    add(store, key, manifest) {
      database.prepare("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
        store,
        key,
        manifest.id,
        manifest.label,
        manifest.type,
        manifest.engine,
        manifest.createdAt,
        manifest.plainBytes,
        manifest.storedBytes,
        manifest.parts.length,
        manifest.encryption,
      );
    },
    remove(store, key) {
      database.prepare("DELETE FROM artifact WHERE store = ? AND manifest = ?").run(store, key);
    },
    list({ store, label, limit } = {}) {
      // One text instead of 10,000 row objects: measured, half the time.
      const row = database.prepare(
        `SELECT json_group_array(json_object('id', id, 'label', label, 'type', type, 'engine', engine,
           'createdAt', createdAt, 'sizeBytes', sizeBytes, 'storedBytes', storedBytes, 'parts', parts,
           'encryption', encryption, 'store', store, 'manifest', manifest)) AS entries
         FROM (SELECT * FROM artifact WHERE (?1 IS NULL OR store = ?1) AND (?2 IS NULL OR label = ?2)
           ORDER BY id DESC LIMIT ?3)`,
      ).get(store ?? null, label ?? null, limit ?? -1);
      const entries: CatalogEntry[] = JSON.parse(text(row?.entries));
      return entries.sort((a, b) => a.id < b.id ? 1 : a.id > b.id ? -1 : 0); // an aggregate promises no order
    },
    keys(store, label) {
      const rows = database.prepare(
        "SELECT manifest FROM artifact WHERE store = ? AND manifest >= ? AND manifest < ?",
      ).all(store, `${label}/`, `${label}0`); // "0" is the character behind "/"
      return new Set(rows.map((row) => text(row.manifest)));
    },
    labels(store) {
      const rows = database.prepare(
        "SELECT DISTINCT substr(manifest, 1, instr(manifest, '/') - 1) AS label FROM artifact WHERE store = ?",
      ).all(store);
      return rows.map((row) => text(row.label));
    },
    allLabels: () =>
      database.prepare("SELECT DISTINCT label FROM artifact ORDER BY 1").all().map((row) => text(row.label)),
    stores: () =>
      database.prepare("SELECT DISTINCT store FROM artifact ORDER BY 1").all().map((r) => text(r.store)),
    clear(store) {
      database.prepare("DELETE FROM artifact WHERE store = ?").run(store);
      database.prepare("DELETE FROM folder WHERE store = ?").run(store);
    },
    stamp(store, label) {
      const row = database.prepare("SELECT stamp FROM folder WHERE store = ? AND label = ?").get(
        store,
        label,
      );
      return row === undefined ? undefined : text(row.stamp);
    },
    setStamp(store, label, stamp) {
      if (stamp === undefined) {
        database.prepare("DELETE FROM folder WHERE store = ? AND label = ?").run(store, label);
      } else database.prepare("INSERT OR REPLACE INTO folder VALUES (?, ?, ?)").run(store, label, stamp);
    },
    together(change) {
      database.exec("BEGIN IMMEDIATE");
      try {
        change();
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}
