/** A full disk is told as what it is, leaves nothing half-named, and the run goes on once there is room. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hashFile } from "../../streams/durable.ts";
import { readPuts } from "../doubles/store_faulty.ts";
import type { Description, JsonRule } from "./driver.ts";
import { checkContent, pathsIn } from "./invariants.ts";
import { makeTemplate, openPlace, type Place, SMALL } from "./place.ts";
import { describe, drive, type Ended, run, runWell, start } from "./processes.ts";
import { scenarios } from "./scenarios.ts";
import { readContent } from "../adapters/sqlite_content.ts";
import { type Disk, lacksMounts, mountDisk } from "./tmpfs.ts";
import { crashTest } from "./settings.ts";

const MIB = 1 << 20;

crashTest("a store that is full keeps whole objects only", async () => {
  if (await lacksMounts()) return;
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.encryptedBackup.lay(place, template);
  await using disk = await mountDisk(place.store, MIB);
  await disk.fill(60_000);
  isFull(await run(drive(description), place.folder));
  await checkWhole(place);
  await disk.empty();
  await runWell(drive(description), place.folder);
  await scenarios.encryptedBackup.check(place, template);
});

crashTest("a store that fills up in mid-run keeps whole objects only", async () => {
  if (await lacksMounts()) return;
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.encryptedBackup.lay(place, template);
  await using disk = await mountDisk(place.store, MIB);
  isFull(
    await fillAt(
      place,
      description,
      { call: "put", key: "SHA256SUMS", nth: 1, fault: { kind: "delay" } },
      disk,
    ),
  );
  await checkWhole(place);
  await disk.empty();
  await runWell(drive(description), place.folder);
  await scenarios.encryptedBackup.check(place, template);
});

crashTest("a state folder without room for the copy refuses the backup before it begins", async () => {
  if (await lacksMounts()) return;
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.backup.lay(place, template);
  await using disk = await mountDisk(place.home, 4 * MIB);
  await disk.fill(MIB / 2);
  const ended = await run(drive(description), place.folder);
  isFull(ended);
  assert.match(ended.lines.at(-1)?.error?.message ?? "", /the snapshot needs .* free/);
  assert.deepEqual(await pathsIn(place.store), []);
  await disk.empty();
  await runWell(drive(description), place.folder);
  await scenarios.backup.check(place, template);
});

for (const key of ["000001", "000003", "manifest"]) {
  crashTest(`a journal that cannot be written stops a backup at ${key}, which goes on later`, async () => {
    if (await lacksMounts()) return;
    await using template = await makeTemplate(SMALL);
    await using place = await openPlace();
    const description = await scenarios.backup.lay(place, template);
    await using disk = await mountDisk(place.home, 4 * MIB);
    isFull(await fillAt(place, description, { call: "put", key, nth: 1, fault: { kind: "delay" } }, disk));
    await disk.empty();
    await runWell(drive(description), place.folder);
    await scenarios.backup.check(place, template);
  });
}

crashTest("a restore whose disk fills up leaves nothing at the target", async () => {
  if (await lacksMounts()) return;
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.restore.lay(place, template);
  await using disk = await mountDisk(join(place.target, ".."), MIB);
  isFull(
    await fillAt(place, description, { call: "get", key: "000003", nth: 1, fault: { kind: "delay" } }, disk),
  );
  assert.deepEqual(await pathsIn(join(place.target, "..")), ["ballast"]);
  await disk.empty();
  await runWell(drive(description), place.folder);
  await scenarios.restore.check(place, template);
});

crashTest("a restore over a database whose disk is full leaves that database as it was", async () => {
  if (await lacksMounts()) return;
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  await using disk = await mountDisk(join(place.target, ".."), 3 * MIB);
  const description = await scenarios.restoreOver.lay(place, template);
  const before = readContent(place.target);
  await disk.fill(8192);
  isFull(await run(drive(description), place.folder));
  checkContent(place.target, before);
  await disk.empty();
  await runWell(drive(description), place.folder);
  await scenarios.restoreOver.check(place, template);
});

/** Fills the disk while the run waits at a call of the store. */
async function fillAt(place: Place, description: Description, rule: JsonRule, disk: Disk): Promise<Ended> {
  await using running = start(drive({ ...description, rules: [rule] }), place.folder);
  await running.said("waiting");
  await disk.fill(0);
  await running.answer();
  return await running.ended;
}

function isFull(ended: Ended): void {
  const last = ended.lines.at(-1);
  assert.equal(last?.error?.code, "no_space", `it does not say that the disk is full: ${describe(ended)}`);
  assert.equal(ended.code, 1);
  assert.equal(last.resumable, true);
  assert.ok(last.error.hint !== null, "there is no hint");
}

/** Every object with a name has the bytes that were put under it. */
async function checkWhole(place: Place): Promise<void> {
  const sums = new Map((await readPuts(place.record)).map((put) => [put.key, put.sha256]));
  for (const path of await pathsIn(place.store)) {
    if (path.startsWith(".partial") || path === "ballast") continue;
    if ((await Deno.stat(join(place.store, path))).isDirectory) continue;
    assert.equal((await hashFile(join(place.store, path))).sha256, sums.get(path), `${path} is not whole`);
  }
}
