import fc from "fast-check";
import assert from "node:assert/strict";
import { type Column, renderTable } from "../../cli/table.ts";
import { textWidth } from "../../cli/text.ts";

const columns: Column[] = [
  { title: "ARTIFACT", keep: true },
  { title: "LABEL" },
  { title: "PLAIN", align: "right" },
  { title: "PROVEN" },
];
const rows = [
  ["20261123T020000013Z-q8m2zt", "shop", "41.2 GB", "checked today"],
  ["20261116T020000011Z-m4k7ac", "a-label-that-is-long", "6 MB", ""],
];

Deno.test("a table is aligned, numbers at the right, without blanks at line ends", () => {
  assert.deepEqual(renderTable(columns, rows), [
    "ARTIFACT                    LABEL                   PLAIN  PROVEN",
    "20261123T020000013Z-q8m2zt  shop                  41.2 GB  checked today",
    "20261116T020000011Z-m4k7ac  a-label-that-is-long     6 MB",
  ]);
});

Deno.test("in a narrow terminal the widest columns give way, ids last", () => {
  assert.deepEqual(renderTable(columns, rows, 60), [
    "ARTIFACT                    LABEL         PLAIN  PROVEN",
    "20261123T020000013Z-q8m2zt  shop        41.2 GB  checked to…",
    "20261116T020000011Z-m4k7ac  a-label-t…     6 MB",
  ]);
  for (const line of renderTable(columns, rows, 20)) assert.ok(textWidth(line) <= 20, line);
});

Deno.test("a table without rows has its titles, and missing cells are empty", () => {
  assert.deepEqual(renderTable(columns, []), ["ARTIFACT  LABEL  PLAIN  PROVEN"]);
  assert.deepEqual(renderTable([{ title: "A" }, { title: "B" }], [["1"]]), ["A  B", "1"]);
});

Deno.test("a name cannot steer the terminal", () => {
  const [, line] = renderTable([{ title: "NAME" }], [["\x1b]0;owned\x07\nshop"]]);
  assert.equal(line, "\\x1b]0;owned\\x07\\x0ashop");
});

Deno.test("colours paint the text of a cell and take no room", () => {
  const red = (text: string) => `<${text}>`;
  const painted = renderTable([{ title: "RUN" }, { title: "STATUS", paint: red }, {
    title: "N",
    align: "right",
  }], [
    ["a", "failed", "1"],
    ["b", "", "20"],
  ]);
  assert.deepEqual(painted, ["RUN  STATUS   N", "a    <failed>   1", "b            20"]);
});

Deno.test("no line is wider than the terminal, whatever the cells are", () => {
  const cells = fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 4, maxLength: 4 }), {
    maxLength: 6,
  });
  fc.assert(fc.property(cells, fc.integer({ min: 1, max: 90 }), (rows, width) => {
    for (const line of renderTable(columns, rows, width)) assert.ok(textWidth(line) <= width);
  }));
});
