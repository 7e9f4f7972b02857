import fc from "fast-check";
import assert from "node:assert/strict";
import { cut, pad, textWidth, visible } from "../../cli/text.ts";
import { assertEqualTable } from "./table_of_cases.ts";

Deno.test("control characters are shown, not obeyed", () => {
  assertEqualTable(visible, [
    ["shop", "shop"],
    ["日本 é 👍🏽", "日本 é 👍🏽"],
    ["a\x1b[31mb", "a\\x1b[31mb"],
    ["a\r\nb\tc", "a\\x0d\\x0ab\\x09c"],
    ["\x9b2J\x7f", "\\x9b2J\\x7f"],
    ["gpj\u202etxe", "gpj\\u202etxe"],
  ]);
});

Deno.test("width counts columns, not code units", () => {
  const width = (text: string) => String(textWidth(text));
  assertEqualTable(width, [
    ["", "0"],
    ["shop", "4"],
    ["é", "1"],
    ["e\u0301", "1"],
    ["日本", "4"],
    ["ｶﾅ", "2"],
    ["한국", "4"],
    ["👍🏽", "2"],
    ["👨‍👩‍👧", "2"],
    ["→ ━━", "4"],
    ["\x1b[31mred\x1b[39m", "3"],
  ]);
});

Deno.test("what is too long is cut between characters and ends with an ellipsis", () => {
  assert.equal(cut("shop", 4), "shop");
  assert.equal(cut("shops", 4), "sho…");
  assert.equal(cut("日本語", 4), "日…");
  assert.equal(cut("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  assert.equal(cut("shop", 1), "…");
  assert.equal(cut("shop", 0), "");
  assert.equal(cut("shop", Infinity), "shop");
});

Deno.test("a cut text is never wider than allowed, a padded one never narrower", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.nat(30), (text, width) => {
    assert.ok(textWidth(cut(visible(text), width)) <= width);
    assert.ok(textWidth(pad(visible(text), width)) >= width);
  }));
});
