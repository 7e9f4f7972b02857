import assert from "node:assert/strict";
import { createOutput, type OutputOptions } from "../../cli/output.ts";
import type { StreamName } from "../../cli/terminal.ts";

/** An output that writes into two texts. */
function outputInto(options: OutputOptions, terminals: readonly StreamName[] = []) {
  const texts = { stdout: "", stderr: "" };
  const output = createOutput(options, {
    write: (stream, text) => texts[stream] += text,
    isTerminal: (stream) => terminals.includes(stream),
    mayColor: (stream, wanted) => wanted && terminals.includes(stream),
    width: (stream) => terminals.includes(stream) ? 30 : Infinity,
    now: () => Date.UTC(2026, 10, 23, 9),
  });
  return { output, texts };
}

const columns = [{ title: "LABEL" }, { title: "A LONG TITLE OF A COLUMN" }];

Deno.test("text for people goes to standard output, warnings to standard error", () => {
  const { output, texts } = outputInto({});
  output.line("done");
  output.line();
  output.warn("not encrypted");
  output.json({ a: 1 });
  assert.deepEqual(texts, { stdout: "done\n\n", stderr: "warning: not encrypted\n" });
});

Deno.test("with --json standard output carries JSON lines only, the version first", () => {
  const { output, texts } = outputInto({ json: true });
  output.line("done");
  output.table(columns, [["shop", "x"]]);
  output.progress().update({ kind: "stage-done", stage: "dump", text: "1 B" });
  output.json({ label: "shop", version: 9 });
  assert.equal(texts.stdout, '{"version":1,"label":"shop"}\n');
  assert.equal(texts.stderr, "done\nLABEL  A LONG TITLE OF A COLUMN\nshop   x\n  dump       1 B\n");
});

Deno.test("with --quiet only warnings and JSON are left", () => {
  const { output, texts } = outputInto({ quiet: true, json: true }, ["stdout", "stderr"]);
  output.line("done");
  output.table(columns, []);
  output.progress().update({ kind: "note", text: "x" });
  output.warn("careful");
  output.json({});
  assert.equal(texts.stdout, '{"version":1}\n');
  assert.match(texts.stderr, /^\S*warning: careful\S*\n$/);
});

Deno.test("tables are cut at a terminal and whole in a pipe", () => {
  const terminal = outputInto({}, ["stdout"]);
  terminal.output.table(columns, [["shop", "x".repeat(40)]]);
  for (const line of terminal.texts.stdout.trimEnd().split("\n")) assert.ok(line.length <= 30);
  const pipe = outputInto({});
  pipe.output.table(columns, [["shop", "x".repeat(40)]]);
  assert.ok(pipe.texts.stdout.includes("x".repeat(40)));
});

Deno.test("what is said during a live line does not tear it", () => {
  const { output, texts } = outputInto({ color: false }, ["stdout", "stderr"]);
  const progress = output.progress();
  progress.update({ kind: "stage-started", stage: "dump" });
  output.warn("slow");
  output.line("hello");
  output.close();
  assert.equal(texts.stderr, "");
  assert.match(texts.stdout, /warning: slow\nhello\n {2}dump\n/);
  assert.ok(texts.stdout.endsWith("\x1b[?25h"), "the cursor is back");
  output.line("after");
  assert.ok(texts.stdout.endsWith("after\n"));
});

Deno.test("what is said after a live line has ended is said, also when its owner ended it", () => {
  const { output, texts } = outputInto({}, ["stdout", "stderr"]);
  const progress = output.progress();
  progress.update({ kind: "stage-started", stage: "dump" });
  progress.finish();
  output.line("done");
  output.warn("careful");
  assert.ok(texts.stdout.endsWith("\x1b[?25hdone\n"));
  assert.match(texts.stderr, /careful/);
});

Deno.test("a warning goes to a redirected standard error even while a live line is shown", () => {
  const { output, texts } = outputInto({}, ["stdout"]);
  output.progress().update({ kind: "stage-started", stage: "dump" });
  output.warn("slow");
  output.close();
  assert.equal(texts.stderr, "warning: slow\n");
});

Deno.test("when standard output carries data, people read standard error", () => {
  const { output, texts } = outputInto({});
  output.reserveStdout();
  output.line("done");
  assert.deepEqual(texts, { stdout: "", stderr: "done\n" });
});

Deno.test("a warning that quotes a file of others cannot steer the terminal", () => {
  const { output, texts } = outputInto({});
  output.warn("found \x1b[2Jthis");
  assert.equal(texts.stderr, "warning: found \\x1b[2Jthis\n");
});

Deno.test("secrets are masked in everything that is said", () => {
  const { output, texts } = outputInto({ json: true });
  output.line("from postgres://u:hunter2@h/db");
  output.warn("from postgres://u:hunter2@h/db");
  output.json({ url: "postgres://u:hunter2@h/db" });
  output.progress().update({ kind: "note", text: "from postgres://u:hunter2@h/db" });
  assert.ok(!JSON.stringify(texts).includes("hunter2"));
});

Deno.test("dates are words, or exact with --utc", () => {
  const moment = new Date(Date.UTC(2026, 10, 23, 9));
  assert.match(outputInto({}).output.date(moment), /^today \d\d:\d\d$/);
  assert.equal(outputInto({ utc: true }).output.date(moment), "2026-11-23T09:00:00.000Z");
});
