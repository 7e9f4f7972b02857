import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { folderSegments, keySegments, MAX_KEY_BYTES } from "../../storage/key.ts";

Deno.test("a key is its segments", () => {
  assert.deepEqual(keySegments("shop/20261123T050311482Z-7f3k2q.full.pgdump/000001.zst.age"), [
    "shop",
    "20261123T050311482Z-7f3k2q.full.pgdump",
    "000001.zst.age",
  ]);
  assert.deepEqual(folderSegments(""), []);
});

Deno.test("a key of the greatest length is accepted, one more byte is refused", () => {
  keySegments("a".repeat(MAX_KEY_BYTES));
  assert.throws(() => keySegments("a".repeat(MAX_KEY_BYTES + 1)), { code: "refused" });
});

Deno.test("whatever is accepted, joined below a folder, stays below it", () => {
  const odd = fc.array(fc.constantFrom("..", ".", "a", "-", "", "\0", "\\", "x.y", "é", "~"), {
    maxLength: 6,
  })
    .map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.oneof(odd, fc.string()), (key) => {
      try {
        assert.equal(keySegments(key).join("/"), key);
      } catch (error) {
        assert.ok(error instanceof CairnError && error.code === "refused");
        assert.ok(error.message.length < 1000);
        return;
      }
      const path = new URL(`file:///root/${key}`).pathname;
      assert.equal(path, `/root/${key}`);
    }),
    { numRuns: 2000 },
  );
});
