import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import {
  artifactKeys,
  checkLabel,
  deriveLabel,
  idOfManifest,
  isId,
  makeId,
  timeOfId,
} from "../../steps/artifact.ts";

const time = fc.integer({ min: 0, max: 4_102_444_799_999 });

Deno.test("ids sort as their times do, and give their time back", () => {
  fc.assert(fc.property(time, time, (a, b) => {
    const [first, second] = [makeId(a), makeId(b)];
    assert.ok(isId(first));
    assert.equal(timeOfId(first), a);
    if (a < b) assert.ok(first < second, `${first} is not before ${second}`);
  }));
});

Deno.test("an id is exactly one form, and nothing else passes for one", () => {
  assert.equal(makeId(Date.UTC(2026, 10, 23, 5, 3, 11, 482), "7f3k2q"), "20261123T050311482Z-7f3k2q");
  for (
    const text of ["", "20261123T050311482Z", "20261123T050311482Z-7F3K2Q", "../20261123T050311482Z-7f3k2q"]
  ) {
    assert.equal(isId(text), false, text);
  }
});

Deno.test("any name gives a label that is allowed", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => void checkLabel(deriveLabel(name))));
  assert.equal(deriveLabel("App Data.sqlite3"), "app-data");
  assert.equal(deriveLabel("..."), "database");
});

Deno.test("a label that could be another path is refused", () => {
  for (const label of ["", ".", "..", "a/b", "A", "a b", "-a", "a".repeat(64)]) {
    assert.throws(
      () => checkLabel(label),
      (error) => error instanceof CairnError && error.code === "usage",
      label,
    );
  }
});

Deno.test("keys are only built from fields that cannot lead out of the label's folder", () => {
  const id = makeId(0, "aaaaaa");
  const keys = artifactKeys("app", { id, type: "full", format: "sqlite" });
  assert.equal(keys.folder, `app/${id}.full.sqlite`);
  assert.equal(keys.manifest, `app/${id}.manifest.json`);
  assert.equal(idOfManifest(`${id}.manifest.json`), id);
  for (const forged of [{ id: "../x" }, { type: "../x" }, { format: "a/b" }, { format: "" }]) {
    assert.throws(
      () => artifactKeys("app", { id, type: "full", format: "sqlite", ...forged }),
      (error) => error instanceof CairnError && error.code === "verification",
    );
  }
});
