/** A lifelike SQLite database of a wanted size: text, numbers and some blobs; zstd -3 makes a third of it. */
import { DatabaseSync } from "node:sqlite";

/** Changed with the content, so that a database of an earlier version is not taken for this one. */
const VERSION = 1;
const ROWS_IN_TRANSACTION = 20_000;
const BLOB_EVERY = 800;
const WORDS =
  ("account invoice payment session upload request worker queue cache index shard order customer region " +
    "timeout retry accepted refused delayed finished started pending archive report export import batch")
    .split(" ");
const KINDS = ["http", "billing", "login", "storage", "mail", "audit"];

/** Makes the database unless it is there, and returns its path. The content depends on the size alone. */
export async function makeDatabase(folder: string, megabytes: number): Promise<string> {
  const path = `${folder}/source-${VERSION}-${megabytes}.db`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const unfinished = `${path}.unfinished`;
  await Deno.remove(unfinished).catch(() => {});
  fill(unfinished, megabytes * 1e6);
  await Deno.rename(unfinished, path);
  return path;
}

function fill(path: string, wantedBytes: number): void {
  const database = new DatabaseSync(path);
  const random = generator(1);
  database.exec(`
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
    CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, account INTEGER NOT NULL, kind TEXT NOT NULL,
      seconds REAL NOT NULL, message TEXT NOT NULL);
    CREATE TABLE attachment (id INTEGER PRIMARY KEY, event INTEGER NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL);
    CREATE INDEX event_by_time ON event (at);`);
  const event = database.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)");
  const attachment = database.prepare("INSERT INTO attachment VALUES (?, ?, ?, ?)");
  let at = 1_700_000_000_000;
  let id = 1;
  for (let done = false; !done;) {
    database.exec("BEGIN");
    for (const end = id + ROWS_IN_TRANSACTION; id < end; id++) {
      at += random() % 5000;
      const kind = KINDS[random() % KINDS.length] ?? "";
      event.run(id, at, 1 + random() % 50_000, kind, (random() % 1e6) / 1000, message(random));
      if (id % BLOB_EVERY === 0) {
        attachment.run(id / BLOB_EVERY, id, `scan-${id}.jpg`, noise(random, 2000 + random() % 30_000));
      }
    }
    database.exec("COMMIT");
    const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
    done = pages * 4096 >= wantedBytes;
  }
  database.close();
}

/** A line of a log: words that repeat, numbers and ids that do not. */
function message(random: () => number): string {
  const words = Array.from({ length: 20 + random() % 20 }, () => WORDS[random() % WORDS.length]);
  const id = random().toString(16).padStart(8, "0") + random().toString(16).padStart(8, "0");
  return `${words.join(" ")} id=${id} bytes=${random() % 100_000} path=/v1/${words[0]}/${random() % 10_000}`;
}

/** What does not compress: a picture, an archive. */
function noise(random: () => number, length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, random);
  return new Uint8Array(words.buffer, 0, length);
}

/** xorshift32 (Marsaglia 2003): fast, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>>= 0;
  };
}
