/**
 * Another program that uses a database: `sqlite_writer.ts FILE MODE`. Prints a line once it is under way, goes on until
 * its standard input ends, then prints how many transactions it made. Modes: `transfer` moves money between accounts;
 * `exclusive` holds an exclusive lock; `read` holds a read transaction; `idle` only has the database open.
 */
import { DatabaseSync } from "node:sqlite";

const [path = "", mode = ""] = Deno.args;
const db = new DatabaseSync(path, { timeout: 20_000 });
let ended = false;
const end = Deno.stdin.readable.pipeTo(new WritableStream()).then(() => ended = true);
let count = 0;

function transfer(): void {
  db.exec("BEGIN IMMEDIATE");
  const amount = 1 + (count % 10);
  db.prepare("UPDATE account SET balance = balance - ? WHERE id = ?").run(amount, 1 + (count % 300));
  db.prepare("UPDATE account SET balance = balance + ? WHERE id = ?").run(
    amount,
    1 + ((count * 7 + 100) % 300),
  );
  db.exec("COMMIT");
  count++;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (mode === "transfer") {
  transfer();
  say("started\n");
  while (!ended) {
    transfer();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
} else {
  if (mode === "exclusive") db.exec("BEGIN EXCLUSIVE");
  if (mode === "read") db.exec("BEGIN");
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  say("started\n");
  await end;
  if (mode !== "idle") db.exec("ROLLBACK");
}
db.close();
say(String(count));
