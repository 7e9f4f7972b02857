import assert from "node:assert/strict";
import { freeBytes, SHARED_BYTES } from "../../streams/collect.ts";

Deno.test("the memory of a large buffer is given back at once", () => {
  const bytes = new Uint8Array(SHARED_BYTES + 1);
  freeBytes(bytes.subarray(0, 5));
  assert.equal(bytes.length, 0);
  freeBytes(bytes);
});

Deno.test("a buffer that others may share is left alone", () => {
  const small = new Uint8Array(SHARED_BYTES);
  freeBytes(small);
  const large = new Uint8Array(2 * SHARED_BYTES);
  freeBytes(large.subarray(1));
  assert.deepEqual([small.length, large.length], [SHARED_BYTES, 2 * SHARED_BYTES]);
});
