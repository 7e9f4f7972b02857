import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import { rememberProof } from "../../steps/key.ts";
import { replaceVerifies } from "../../steps/settle.ts";
import { statusOf } from "../../steps/status.ts";
import { generateIdentity } from "../../streams/age.ts";
import { openTestPlace, type TestPlace } from "./workplace.ts";

async function stateOf(place: TestPlace, recipients: readonly string[] = []) {
  const [status] = await statusOf(place.environment, place.engine, ["app"], recipients);
  assert.ok(status);
  return status;
}

Deno.test("a database is well when its newest backup is good and nothing of it is unfinished", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 2000);
  assert.deepEqual([(await stateOf(place)).state, (await stateOf(place)).isWell], ["no backup", false]);
  const artifact = await place.backup(place.path("app.db"));
  assert.deepEqual([(await stateOf(place)).state, (await stateOf(place)).isWell], ["ok", true]);
  assert.equal((await stateOf(place)).lastGood?.id, artifact.id);

  const part = `${place.store}/app/${artifact.id}.full.sqlite/000002.zst`;
  const whole = await Deno.readFile(part);
  await Deno.writeFile(part, whole.slice(1));
  await assert.rejects(place.verify(artifact));
  assert.deepEqual([(await stateOf(place)).state, (await stateOf(place)).isWell], ["damaged", false]);

  await Deno.writeFile(part, whole);
  await replaceVerifies(place.engine, {
    store: artifact.store,
    manifest: artifact.manifest,
    readData: false,
    identities: [],
    passphrase: null,
  });
  assert.equal((await stateOf(place)).state, "ok");
});

Deno.test("whether this host can open its backups is told, and whether that was ever proven", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const { identity, recipient } = await generateIdentity();
  await place.backup(place.path("app.db"), { encryption: { mode: "recipients", recipients: [recipient] } });
  assert.deepEqual([(await stateOf(place)).mode, (await stateOf(place)).keyProven], ["sealed", false]);
  await Deno.writeTextFile(`${place.home}/key.txt`, identity);
  assert.equal((await stateOf(place)).mode, "keyed");
  await rememberProof(place.home, { opens: ["age1another"], foreign: [] }, new Date());
  assert.equal((await stateOf(place, [recipient])).keyProven, false);
  await rememberProof(place.home, { opens: [recipient], foreign: [] }, new Date());
  assert.equal((await stateOf(place, [recipient])).keyProven, true);
});
