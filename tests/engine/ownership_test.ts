import assert from "node:assert/strict";
import { openLocks } from "../../engine/ownership.ts";
import { rejection, scratch } from "./scratch.ts";

Deno.test("names that are taken leave none behind", async () => {
  await using folder = await scratch();
  const locks = await openLocks(`${folder.path}/locks`);
  const held = await locks.names(["b", "b"], "r1");
  assert.equal(
    (await rejection(locks.names(["c", "a", "b"], "r2"), "busy")).message.startsWith("b is in use by run r1"),
    true,
  );
  const others = await locks.names(["a", "c"], "r3");
  await others.release();
  await held.release();
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${folder.path}/locks`)), []);
});

Deno.test("the folder of locks is private, and names do not show in it", async () => {
  await using folder = await scratch();
  const locks = await openLocks(`${folder.path}/locks`);
  assert.equal(((await Deno.stat(`${folder.path}/locks`)).mode ?? 0) & 0o777, 0o700);
  const held = await locks.names(["database:sqlite:/srv/app.db"], "r1");
  const [entry] = await Array.fromAsync(Deno.readDir(`${folder.path}/locks`));
  assert.match(entry?.name ?? "", /^[0-9a-f]{64}\.lock$/);
  await held.release();
});

Deno.test("a process does not take a run over from itself", async () => {
  await using folder = await scratch();
  const locks = await openLocks(`${folder.path}/locks`);
  const held = await locks.takeOver("r1");
  await rejection(locks.takeOver("r1"), "busy");
  await held.release();
});

Deno.test("a process that cannot be identified is not killed", async () => {
  await using folder = await scratch();
  const locks = await openLocks(`${folder.path}/locks`, 50);
  const held = await locks.run("r1");
  await using child = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  const path = `${folder.path}/locks/run-r1.lock`;
  // The pid was given to another process since; another run's; a system that tells no start.
  for (
    const owner of [
      { pid: child.pid, start: "1", run: "r1" },
      { pid: child.pid, start: null, run: "r1" },
      { pid: child.pid, start: "1", run: "r2" },
    ]
  ) {
    await Deno.writeTextFile(path, JSON.stringify(owner));
    await rejection(locks.takeOver("r1"), "refused");
  }
  await child.stdin.close();
  assert.equal((await child.status).signal, null);
  await held.release();
});
