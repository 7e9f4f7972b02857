import assert from "node:assert/strict";
import { createBuffers, createQueue } from "../../streams/queue.ts";

async function isPending(work: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  // Everything that can settle without outside help has done so after some turns of the microtask queue.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return await Promise.race([work, Promise.resolve(pending)]) === pending;
}

Deno.test("a queue keeps the order, waits while full, and ends when empty", async () => {
  const queue = createQueue<number>(2, new AbortController().signal);
  await queue.push(1);
  await queue.push(2);
  const third = queue.push(3);
  assert.ok(await isPending(third));
  assert.equal(await queue.pull(), 1);
  await third;
  queue.end();
  assert.deepEqual([await queue.pull(), await queue.pull(), await queue.pull()], [2, 3, undefined]);
});

Deno.test("aborting rejects who waits and who comes later, items or not", async () => {
  const stopping = new AbortController();
  const full = createQueue<number>(1, stopping.signal);
  await full.push(1);
  const empty = createQueue<number>(1, stopping.signal);
  const waiting = [full.push(2), empty.pull()];
  stopping.abort(new Error("stop"));
  for (const work of [...waiting, full.pull(), empty.push(1)]) await assert.rejects(work, /stop/);
});

Deno.test("no more buffers are lent than there are, and they are used again", async () => {
  const stopping = new AbortController();
  const buffers = createBuffers(2, 10, stopping.signal);
  const [one] = [await buffers.take(), await buffers.take()];
  const third = buffers.take();
  assert.ok(await isPending(third));
  assert.equal(buffers.lent, 2);
  buffers.give(one);
  assert.equal(await third, one);
  const fourth = buffers.take();
  stopping.abort(new Error("stop"));
  await assert.rejects(fourth, /stop/);
  await assert.rejects(buffers.take(), /stop/);
});
