/** The databases that crash tests back up: a bit of everything, and accounts whose sum never changes. */
import { DatabaseSync } from "node:sqlite";
import { makeSample } from "../../adapters/sqlite/sample.ts";

const ACCOUNTS = 300;
const BALANCE = 1000;

/** Makes a database with `rows` orders, in WAL mode when other processes shall write to it meanwhile. */
export function makeSource(path: string, rows: number, mode: "delete" | "wal"): void {
  makeSample(path, rows);
  const db = new DatabaseSync(path);
  try {
    db.exec(`
      PRAGMA journal_mode = ${mode};
      PRAGMA user_version = 42;
      PRAGMA application_id = 1128350030;
      BEGIN;
      CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
      WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ${ACCOUNTS})
        INSERT INTO account SELECT id, ${BALANCE} FROM n;
      CREATE TABLE odd (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
      INSERT INTO odd VALUES ('größe', 1.5), ('null', NULL), ('blob', x'00ff10'), ('text', 'it''s'), ('big', 9007199254740993);
      CREATE VIEW rich AS SELECT id FROM account WHERE balance > ${BALANCE};
      COMMIT`);
  } finally {
    db.close();
  }
}

/** Changes a source from its first row on, so that the next dump has other bytes. */
export function changeSource(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("UPDATE customer SET name = name || '!'");
  } finally {
    db.close();
  }
}

/** Makes another database, which a restore replaces. */
export function makeOther(path: string, mode: "delete" | "wal"): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(`
      PRAGMA journal_mode = ${mode};
      PRAGMA user_version = 7;
      CREATE TABLE stale (x);
      WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)
        INSERT INTO stale SELECT hex(randomblob(20)) FROM n;`);
  } finally {
    db.close();
  }
}

/** Throws unless the database is sound and holds one moment of its accounts. */
export function checkOneMoment(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const sound = db.prepare("PRAGMA integrity_check").get()?.integrity_check;
    const sum = db.prepare("SELECT sum(balance) AS sum FROM account").get()?.sum;
    if (sound !== "ok") throw new Error(`${path} is damaged: ${sound}`);
    if (sum !== ACCOUNTS * BALANCE) throw new Error(`${path} mixes moments: the accounts sum up to ${sum}`);
  } finally {
    db.close();
  }
}
