import assert from "node:assert/strict";
import { lockFile, lockOwner, removeUnheld } from "../../engine/lock_file.ts";
import { scratch } from "./scratch.ts";

const owner = { pid: 1234, start: "5678", run: "r1" };

Deno.test("a lock says who holds it, and leaves no file", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  assert.equal(await lockOwner(path), null);
  const held = await lockFile(path, owner);
  assert.deepEqual(await lockOwner(path), owner);
  assert.equal((await Deno.stat(path)).mode ?? 0, 0o100600);
  assert.equal(await lockFile(path, owner, 0), null);
  await held?.release();
  assert.equal(await lockOwner(path), null);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("a file that nobody locks belongs to nobody, whatever it says", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  await Deno.writeTextFile(path, JSON.stringify({ ...owner, run: "a much longer name than the next one" }));
  assert.equal(await lockOwner(path), null);
  const held = await lockFile(path, owner);
  assert.deepEqual(await lockOwner(path), owner);
  await held?.release();
});

Deno.test("an owner that has not said who it is, is unknown", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  const held = await lockFile(path, owner);
  for (const text of ["", '{"pid":12', "null", '{"pid":-1,"run":"r1"}', '{"pid":1}']) {
    await Deno.writeTextFile(path, text);
    assert.equal(await lockOwner(path), "unknown");
  }
  await held?.release();
});

Deno.test("a lock on a file that was removed and made anew is not mistaken for the lock", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  const first = await lockFile(path, owner);
  await Deno.remove(path);
  const second = await lockFile(path, { ...owner, run: "r2" });
  assert.notEqual(second, null);
  await first?.release();
  assert.deepEqual(await lockOwner(path), { ...owner, run: "r2" });
  await second?.release();
});

Deno.test("the file of a lock is removed when nobody holds it, and only then", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  await removeUnheld(path);
  await Deno.writeTextFile(path, JSON.stringify(owner));
  await removeUnheld(path);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const held = await lockFile(path, owner);
  await removeUnheld(path);
  assert.deepEqual(await lockOwner(path), owner);
  await held?.release();
});

Deno.test("of many who want a lock over and over, one at a time has it", async () => {
  await using folder = await scratch();
  const path = `${folder.path}/a.lock`;
  let inside = 0;
  const contend = async () => {
    for (let round = 0; round < 30;) {
      await removeUnheld(path);
      const held = await lockFile(path, owner, 0);
      if (held === null) continue;
      assert.equal(++inside, 1);
      // Time for another to come in, were the door open.
      await lockOwner(path);
      inside--;
      await held.release();
      round++;
    }
  };
  await Promise.all([contend(), contend(), contend(), contend()]);
});
