import assert from "node:assert/strict";
import { writeBehind } from "../../streams/write_behind.ts";

const MIB = 1 << 20;

Deno.test("a growing file is synced once for so much growth, and by one sync at a time", async () => {
  let syncs = 0;
  let sync = Promise.withResolvers<void>();
  const behind = writeBehind(() => {
    syncs++;
    return sync.promise;
  });
  behind.grown(63 * MIB);
  assert.equal(syncs, 0);
  behind.grown(64 * MIB);
  behind.grown(200 * MIB);
  assert.equal(syncs, 1);
  sync.resolve();
  await behind.settle();
  sync = Promise.withResolvers();
  behind.grown(127 * MIB);
  assert.equal(syncs, 1);
  behind.grown(128 * MIB);
  assert.equal(syncs, 2);
  sync.resolve();
  await behind.settle();
});

Deno.test("a sync that failed is told at the end, and is the last one", async () => {
  let syncs = 0;
  const behind = writeBehind(() => {
    syncs++;
    return Promise.reject(new Error("no space"));
  });
  behind.grown(64 * MIB);
  await assert.rejects(() => behind.settle(), /no space/);
  behind.grown(256 * MIB);
  await assert.rejects(() => behind.settle(), /no space/);
  assert.equal(syncs, 1);
});

Deno.test("a file that never grew needs nothing", async () => {
  const behind = writeBehind(() => Promise.reject(new Error("not called")));
  behind.grown(0);
  await behind.settle();
});
