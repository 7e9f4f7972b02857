/** A source that cannot be backed up: said with exit code, message and hint, and nothing is left behind. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { sampleChecksum } from "../../adapters/sqlite/sample.ts";
import {
  type CairnOptions,
  failed,
  type Failure,
  IMPATIENT,
  nothingLeft,
  openPlace,
  type Place,
  well,
  whileLocked,
  worldOf,
} from "./cairn.ts";

/** Backs `source` up, which must fail as said and change nothing. */
async function refused(
  place: Place,
  source: string,
  failure: Failure,
  options: CairnOptions = {},
): Promise<void> {
  const before = await worldOf(place);
  const ended = await place.cairn(["backup", source, "--json"], options);
  failed(ended, failure);
  assert.deepEqual(await worldOf(place), before);
  if (!failure.resumable) await nothingLeft(place);
}

Deno.test("a source that is missing is exit code 3, and a near name is told", async () => {
  await using place = await openPlace();
  await refused(place, "missing.db", {
    exit: 3,
    code: "not_found",
    message: /nothing is called "missing\.db".* no such file/,
    hint: /path of an SQLite file/,
  });
  await Deno.writeTextFile(place.path("cairn.yaml"), "databases:\n  shop: {path: ./shop.db}\n", {
    mode: 0o600,
  });
  await refused(place, "shpo", {
    exit: 3,
    code: "not_found",
    message: /nothing is called "shpo"/,
    hint: /did you mean "shop"\?/,
  });
  await refused(place, "shop", {
    exit: 3,
    code: "not_found",
    message: /shop\.db does not exist/,
    hint: /check the path/,
  });
});

Deno.test("what is no SQLite database is exit code 4: an empty file, another kind of file, a folder", async () => {
  await using place = await openPlace();
  await Deno.writeTextFile(place.path("empty.db"), "");
  await Deno.writeTextFile(place.path("text.db"), "no database ".repeat(1000));
  await Deno.mkdir(place.path("folder.db"));
  const invalid = { exit: 4, code: "source_invalid" };
  await refused(place, "empty.db", { ...invalid, message: /empty\.db is empty/, hint: /check the path/ });
  await refused(place, "text.db", {
    ...invalid,
    message: /text\.db is no SQLite database/,
    hint: /encrypted/,
  });
  await refused(place, "folder.db", {
    ...invalid,
    message: /folder\.db is a folder/,
    hint: /name the database/,
  });
  const runs = well(await place.cairn(["runs", "--json"])).runs;
  assert.deepEqual(runs.map((run: { status: string }) => run.status), [
    "cancelled",
    "cancelled",
    "cancelled",
  ]);
});

Deno.test("a damaged source is exit code 1 and never becomes a backup", async () => {
  await using place = await openPlace();
  place.database("app.db");
  {
    using file = await Deno.open(place.path("app.db"), { write: true });
    await file.seek(3 * 4096, Deno.SeekMode.Start);
    await file.write(crypto.getRandomValues(new Uint8Array(20_000)));
  }
  await refused(place, "app.db", {
    exit: 1,
    code: "source_damaged",
    message: /app\.db is damaged: /,
    hint: /last good backup.*\.recover/,
  });
});

Deno.test("a source that nobody may read is exit code 4", async () => {
  await using place = await openPlace();
  place.database("app.db");
  await Deno.chmod(place.path("app.db"), 0o000);
  await refused(place, "app.db", {
    exit: 4,
    code: "permission",
    message: /app\.db cannot be read: permission denied/,
    hint: /run as the user who owns it/,
  }, { unprivileged: true });
});

Deno.test("a source that is locked for too long is exit code 7; when it is free the run goes on", async () => {
  await using place = await openPlace();
  const source = place.database("app.db");
  const before = await worldOf(place);
  const ended = await whileLocked(source, () => place.cairn(["backup", "app.db", "--json"], IMPATIENT));
  const { run } = failed(ended, {
    exit: 7,
    code: "source_locked",
    message: /app\.db is locked by another process for too long/,
    hint: /let the program that holds it finish/,
    resumable: true,
  });
  assert.deepEqual(await worldOf(place), before);
  well(await place.cairn(["resume", run, "--json"]));
  await nothingLeft(place);
  well(await place.cairn(["restore", "latest", "--into", "restored.db", "--json"]));
  assert.equal(sampleChecksum(place.path("restored.db")), sampleChecksum(source));
});

Deno.test("a database without tables is backed up and restored like any other", async () => {
  await using place = await openPlace();
  const database = new DatabaseSync(place.path("bare.db"));
  database.exec("PRAGMA user_version = 3; VACUUM");
  database.close();
  well(await place.cairn(["backup", "bare.db", "--json"]));
  const restored = well(await place.cairn(["restore", "latest", "--into", "restored.db", "--json"])).restored;
  assert.equal(restored.tables, 0);
  const check = new DatabaseSync(place.path("restored.db"));
  assert.equal(check.prepare("PRAGMA user_version").get()?.user_version, 3);
  check.close();
  await nothingLeft(place);
});
