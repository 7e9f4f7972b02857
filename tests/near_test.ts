import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "../near.ts";

Deno.test("distances of known words", () => {
  for (
    const [left, right, distance] of [
      ["", "", 0],
      ["", "abc", 3],
      ["abc", "abc", 0],
      ["compresion", "compression", 1],
      ["lable", "label", 1],
      ["stroe", "store", 1],
      ["kitten", "sitting", 3],
      ["ca", "abc", 3],
    ] as const
  ) {
    assert.equal(editDistance(left, right), distance, `${left} ${right}`);
    assert.equal(editDistance(right, left), distance, `${right} ${left}`);
  }
});

Deno.test("one change is a distance of one at most, and a distance is never more than the longer word", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(fc.property(word, fc.nat(), fc.string({ maxLength: 1 }), (text, at, letter) => {
    const cut = at % (text.length + 1);
    assert.ok(editDistance(text, text.slice(0, cut) + letter + text.slice(cut)) <= 1);
    assert.ok(editDistance(text, text.slice(0, cut) + letter + text.slice(cut + 1)) <= 1);
  }));
  fc.assert(fc.property(word, word, (left, right) => {
    const distance = editDistance(left, right);
    assert.equal(distance, editDistance(right, left));
    assert.ok(distance <= Math.max(left.length, right.length));
    assert.equal(distance === 0, left === right);
  }));
});

Deno.test("the nearest word is proposed, none when none is near", () => {
  const keys = ["label", "level", "store", "stores", "compression", "tables", "exclude_tables"];
  assert.equal(nearest("compresion", keys), "compression");
  assert.equal(nearest("Label", keys), "label");
  assert.equal(nearest("excludetables", keys), "exclude_tables");
  assert.equal(nearest("stors", keys), "store");
  assert.equal(nearest("password", keys), undefined);
  assert.equal(nearest("", keys), undefined);
  assert.equal(nearest("shpo", ["shop"]), "shop");
  assert.equal(nearest("x".repeat(101), ["x".repeat(101)]), undefined);
});
