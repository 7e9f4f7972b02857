/** A small, lifelike database for the demo and for trying things out. */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

const WORDS = "stone path ridge river cloud north trail summit valley lantern marker winter".split(" ");

/** Makes a database of customers and orders with `rows` orders: about 160 bytes each, always the same content. */
export function makeSample(path: string, rows: number): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(`
      CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE);
      CREATE TABLE "order" (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customer, cents INTEGER NOT NULL,
        note TEXT, token BLOB NOT NULL);
      CREATE INDEX by_customer ON "order" (customer);
      BEGIN`);
    const customer = database.prepare("INSERT INTO customer VALUES (?, ?, ?)");
    const order = database.prepare('INSERT INTO "order" VALUES (?, ?, ?, ?, ?)');
    const customers = Math.ceil(rows / 10);
    for (let id = 1; id <= customers; id++) {
      customer.run(id, `${word(id)} ${word(id * 7)}`, `${word(id)}.${id}@example.org`);
    }
    for (let id = 1; id <= rows; id++) {
      const token = createHash("sha256").update(String(id)).digest();
      const note = Array.from({ length: 12 }, (_, index) => word(id * 31 + index * index)).join(" ");
      order.run(id, 1 + id % customers, (id * 7919) % 100_000, note, token);
    }
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}

function word(number: number): string {
  return WORDS[number % WORDS.length] ?? "";
}

/** SHA-256 over all rows of the sample's tables, in the order of their keys. */
export function sampleChecksum(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const hash = createHash("sha256");
    for (const table of ["customer", '"order"']) {
      for (const row of database.prepare(`SELECT * FROM ${table} ORDER BY id`).iterate()) {
        hash.update(
          JSON.stringify(Object.values(row).map((value) => value instanceof Uint8Array ? [...value] : value)),
        );
      }
    }
    return hash.digest("hex");
  } finally {
    database.close();
  }
}
