import assert from "node:assert/strict";
import fc from "fast-check";
import { pause, pauseUntil, retryDelay } from "../../engine/retry.ts";

Deno.test("a delay is never longer than its bound, which doubles up to the largest", () => {
  const policy = fc.record({
    retries: fc.nat(9),
    firstMilliseconds: fc.nat(5000),
    maxMilliseconds: fc.nat(60_000),
  });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(policy, fc.integer({ min: 1, max: 2000 }), random, (policy, errors, random) => {
    const delay = retryDelay(policy, errors, random);
    assert(Number.isInteger(delay) && delay >= 0);
    assert(delay <= policy.maxMilliseconds);
    if (errors < 40) assert(delay <= policy.firstMilliseconds * 2 ** (errors - 1));
  }));
  const policy3 = { retries: 3, firstMilliseconds: 100, maxMilliseconds: 350 };
  assert.deepEqual([1, 2, 3, 4].map((errors) => retryDelay(policy3, errors, 0.5)), [50, 100, 175, 175]);
});

Deno.test("a pause ends at once when it is aborted, with the reason", async () => {
  const aborting = new AbortController();
  const waiting = pause(60_000, aborting.signal);
  const reason = new Error("enough");
  aborting.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(pause(60_000, aborting.signal), reason);
});

Deno.test("a clock that was set back does not prolong a wait", async () => {
  const { signal } = new AbortController();
  await pauseUntil(1_000_000, 5, () => 0, signal);
  await pauseUntil(0, 60_000, () => 1, signal);
});
