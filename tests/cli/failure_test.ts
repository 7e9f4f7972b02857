import assert from "node:assert/strict";
import { failureJson, failureLines } from "../../cli/failure.ts";
import { createStyle } from "../../cli/terminal.ts";
import { CairnError } from "../../errors.ts";

const plain = createStyle(false);
const nothing = { isResumable: false };

Deno.test("an error is told with its values, its cause and what to do", () => {
  const error = new CairnError(
    "target_exists",
    'database "shop" on db1 has 41 tables\na restore replaces what is there; nothing has been changed',
    { hint: "restore beside it with --into postgres://db1/shop_restored, or say --overwrite" },
  );
  assert.deepEqual(failureLines(error, nothing, plain), [
    'error: database "shop" on db1 has 41 tables',
    "  a restore replaces what is there; nothing has been changed",
    "  hint: restore beside it with --into postgres://db1/shop_restored, or say --overwrite",
  ]);
});

Deno.test("a near name is told without the word hint", () => {
  const error = new CairnError("not_found", 'nothing is called "shpo"', { hint: 'did you mean "shop"?' });
  assert.deepEqual(failureLines(error, nothing, plain).at(-1), '  did you mean "shop"?');
});

Deno.test("errors of a file begin with their place", () => {
  const error = new CairnError(
    "config",
    'cairn.yaml:14:7: unknown key "compresion"\n/etc/a b.yaml:2:1: no URL',
  );
  assert.deepEqual(failureLines(error, nothing, plain), [
    'cairn.yaml:14:7: unknown key "compresion"',
    "/etc/a b.yaml:2:1: no URL",
  ]);
});

Deno.test("one cause is told, and only where it says more", () => {
  const repeated = new Error("connection refused", { cause: new Error("os error 111\nmore") });
  const error = new CairnError("unreachable", "db1:5432 does not answer: connection refused", {
    cause: repeated,
  });
  assert.deepEqual(failureLines(error, nothing, plain), [
    "error: db1:5432 does not answer: connection refused",
    "  because: os error 111",
  ]);
  const alone = new CairnError("io", "disk gone", { cause: new Error("disk gone") });
  assert.deepEqual(failureLines(alone, nothing, plain), ["error: disk gone"]);
});

Deno.test("a circle of causes ends", () => {
  const inner = new Error("x");
  inner.cause = inner;
  assert.deepEqual(failureLines(new CairnError("io", "x", { cause: inner }), nothing, plain), ["error: x"]);
  assert.ok(failureLines(new CairnError("io", "x", { cause: inner }), nothing, plain, true).length > 1);
});

Deno.test("where a run can go on, the last line is the command that does it", () => {
  const error = new CairnError("unreachable", "s3 does not answer");
  const run = "backup-20261123T020000013Z-q8m2zt";
  assert.equal(failureLines(error, { run, isResumable: true }, plain).at(-1), `cairn resume ${run}`);
  assert.equal(failureLines(error, { run, isResumable: false }, plain).length, 1);
  assert.deepEqual(failureJson(error, { run, isResumable: true }), {
    status: "failed",
    resumable: true,
    run,
    error: { code: "unreachable", message: "s3 does not answer" },
  });
});

Deno.test("a defect asks for a report, and shows its stack only with --debug", () => {
  const error = new CairnError("internal", "x is undefined", { cause: new TypeError("x is undefined") });
  const lines = failureLines(error, nothing, plain);
  assert.match(lines[1] ?? "", /--debug/);
  assert.ok(!lines.some((line) => line.includes("    at ")));
  const debug = failureLines(error, nothing, plain, true);
  assert.ok(debug.some((line) => line.startsWith("Caused by: TypeError")));
  assert.ok(debug.some((line) => line.includes("    at ")));
});

Deno.test("a secret and a control character in an error are not told", () => {
  const error = new CairnError("unreachable", "cannot reach postgres://u:secret@db1 \x1b[2J", {
    hint: "try postgres://u:secret@db2",
    cause: new Error("FATAL postgres://u:secret@db3"),
  });
  const told = [...failureLines(error, nothing, plain, true), JSON.stringify(failureJson(error, nothing))]
    .join("\n");
  assert.ok(!told.includes("secret") && !told.includes("\x1b"));
});
