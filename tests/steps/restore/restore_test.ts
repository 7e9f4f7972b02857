import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { makeSample, sampleChecksum } from "../../../adapters/sqlite/sample.ts";
import { CairnError, type ErrorCode } from "../../../errors.ts";
import type { BackupResult } from "../../../steps/backup/record.ts";
import { generateIdentity } from "../../../streams/age.ts";
import { filesUnder } from "../files.ts";
import { openTestPlace, type TestPlace } from "../workplace.ts";

async function withBackup(
  work: (place: TestPlace, artifact: BackupResult, source: string) => Promise<void>,
): Promise<void> {
  await using place = await openTestPlace();
  const source = place.path("app.db");
  makeSample(source, 2000);
  await work(place, await place.backup(source), source);
}

const refuses = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CairnError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

const partOf = (place: TestPlace, artifact: BackupResult, number: number) =>
  `${place.store}/app/${artifact.id}.full.sqlite/${String(number).padStart(6, "0")}.zst`;

/** No target, and nothing of ours beside it. */
async function assertNoTarget(place: TestPlace) {
  const names = (await filesUnder(place.folder)).filter((name) => /restored|\.cairn-/.test(name));
  assert.deepEqual(names, []);
}

Deno.test("an existing database is only replaced when that is said, and then in place", async () => {
  await withBackup(async (place, artifact, source) => {
    const target = place.path("restored.db");
    makeSample(target, 10);
    const before = sampleChecksum(target);
    await assert.rejects(place.restore(artifact, target), refuses("target_exists", /2 tables/));
    assert.equal(sampleChecksum(target), before);
    await place.restore(artifact, target, { overwrite: true });
    assert.equal(sampleChecksum(target), sampleChecksum(source));
  });
});

Deno.test("some tables can be restored, and a table that is not there is named", async () => {
  await withBackup(async (place, artifact) => {
    const target = place.path("restored.db");
    await place.restore(artifact, target, { selection: { tables: ["customer"], excludeTables: [] } });
    const database = new DatabaseSync(target, { readOnly: true });
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().map((row) =>
      row.name
    );
    database.close();
    assert.deepEqual(names, ["customer"]);
    await assert.rejects(
      place.restore(artifact, place.path("other.db"), { selection: { tables: ["nope"], excludeTables: [] } }),
      refuses("not_found", /nope/),
    );
  });
});

Deno.test("a bit flipped, a part cut, missing or swapped: named, refused, and the target is not touched", async () => {
  await withBackup(async (place, artifact) => {
    const [first, second] = [partOf(place, artifact, 1), partOf(place, artifact, 2)];
    const whole = await Deno.readFile(second);
    const target = place.path("restored.db");
    const flipped = whole.slice();
    flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
    for (
      const [bytes, what] of [[flipped, /000002.*SHA-256/], [whole.slice(0, -1), /000002.*bytes/]] as const
    ) {
      await Deno.writeFile(second, bytes);
      await assert.rejects(place.restore(artifact, target), refuses("verification", what));
      await assert.rejects(place.verify(artifact, { readData: false }), refuses("verification", what));
      await assertNoTarget(place);
    }
    await Deno.remove(second);
    await assert.rejects(place.restore(artifact, target), refuses("verification", /000002.*missing/));
    await Deno.rename(first, second);
    await Deno.writeFile(first, whole);
    await assert.rejects(place.restore(artifact, target), refuses("verification", /00000[12]/));
    await assertNoTarget(place);
  });
});

Deno.test("a manifest that is damaged, renamed or promises other sizes is refused before anything is written", async () => {
  await withBackup(async (place, artifact) => {
    const path = `${place.store}/${artifact.manifest}`;
    const text = await Deno.readTextFile(path);
    const target = place.path("restored.db");
    const write = (changed: string) => Deno.writeTextFile(path, changed);
    await write(text.slice(0, -20));
    await assert.rejects(place.restore(artifact, target), refuses("verification", /damaged/));
    await write(text.replace(artifact.id, artifact.id.replace(/^2/, "3")));
    await assert.rejects(place.restore(artifact, target), refuses("verification", /that of/));
    await write(text.replace(/"plainBytes": \d+/, '"plainBytes": 1'));
    await assert.rejects(place.restore(artifact, target), refuses("verification", /plain size/));
    await assertNoTarget(place);
  });
});

Deno.test("without the right key nothing is touched", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 500);
  const [mine, other] = [await generateIdentity(), await generateIdentity()];
  const artifact = await place.backup(place.path("app.db"), {
    encryption: { mode: "recipients", recipients: [mine.recipient] },
  });
  await Deno.writeTextFile(place.path("mine"), mine.identity);
  await Deno.writeTextFile(place.path("other"), other.identity);
  const target = place.path("restored.db");
  await assert.rejects(place.restore(artifact, target), refuses("key", /no key/));
  await assert.rejects(
    place.restore(artifact, target, { identities: [place.path("other")] }),
    refuses("key", /opens/),
  );
  await assertNoTarget(place);
  await place.restore(artifact, target, { identities: [place.path("other"), place.path("mine")] });
  assert.equal(sampleChecksum(target), sampleChecksum(place.path("app.db")));
});

Deno.test("Cairn's own databases are never a target, whatever they are called", async () => {
  await withBackup(async (place, artifact) => {
    for (const name of ["control.db", "catalog.db"]) {
      const own = `${place.home}/${name}`;
      await Deno.link(own, place.path(`hard-${name}`));
      await Deno.symlink(own, place.path(`soft-${name}`));
      for (const target of [own, place.path(`hard-${name}`), place.path(`soft-${name}`)]) {
        await assert.rejects(place.restore(artifact, target, { overwrite: true }), refuses("refused", /own/));
      }
    }
  });
});
