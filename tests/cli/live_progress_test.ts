import assert from "node:assert/strict";
import { createLiveProgress, createPlainProgress } from "../../cli/live_progress.ts";

/** A screen of a terminal that knows the few sequences that are used: up, erase, cursor, wrap. */
function createScreen(width = 80) {
  let lines: string[] = [];
  let clock = 0;
  let isCursorShown = true;
  let writes = 0;
  return {
    screen: {
      width: () => width,
      color: false,
      now: () => clock,
      write(text: string) {
        writes++;
        // deno-lint-ignore no-control-regex
        for (const [token] of text.matchAll(/\x1b\[\??\d*[A-Za-z]|[^\n\x1b]*\n/g)) {
          const up = /\[(\d+)F$/.exec(token)?.[1];
          if (up !== undefined) lines = lines.slice(0, lines.length - Number(up));
          else if (token === "\x1b[?25l") isCursorShown = false;
          else if (token === "\x1b[?25h") isCursorShown = true;
          else if (token.endsWith("\n")) lines.push(token.slice(0, -1));
        }
      },
    },
    tick: (milliseconds: number) => clock += milliseconds,
    lines: () => lines,
    writes: () => writes,
    isCursorShown: () => isCursorShown,
  };
}

Deno.test("the live line is redrawn in place and finished stages scroll away above it", () => {
  const { screen, tick, lines, isCursorShown } = createScreen();
  const progress = createLiveProgress(screen);
  progress.update({ kind: "stage-progress", stage: "dump", done: 10, total: 100 });
  tick(200);
  progress.update({ kind: "stage-progress", stage: "dump", done: 50, total: 100 });
  tick(200);
  progress.update({ kind: "stage-progress", stage: "upload", done: 1, total: 4, unit: "items" });
  assert.equal(isCursorShown(), false);
  tick(200);
  progress.update({ kind: "stage-done", stage: "dump", text: "100 B" });
  assert.equal(lines().length, 2);
  assert.equal(lines()[0], "  dump       100 B");
  assert.match(lines()[1] ?? "", /^ {2}upload {5}1 of 4 .* 25 %$/);
  progress.update({ kind: "stage-done", stage: "upload", text: "4 parts" });
  progress.finish();
  assert.deepEqual(lines(), ["  dump       100 B", "  upload     4 parts"]);
  assert.equal(isCursorShown(), true);
});

Deno.test("it draws at most ten times a second, and the last state always", () => {
  const { screen, tick, lines, writes } = createScreen();
  const progress = createLiveProgress(screen);
  for (let done = 0; done <= 1000; done++, tick(1)) {
    progress.update({ kind: "stage-progress", stage: "dump", done, total: 1000 });
  }
  assert.ok(writes() <= 11, `${writes()} frames in a second`);
  progress.finish();
  assert.match(lines()[0] ?? "", /100 %/);
});

Deno.test("after the end nothing is drawn, and ending without a beginning draws nothing", () => {
  const { screen, lines, writes } = createScreen();
  createLiveProgress(screen).finish();
  assert.equal(writes(), 0);
  const progress = createLiveProgress(screen);
  progress.update({ kind: "stage-started", stage: "dump" });
  progress.finish();
  progress.finish();
  const before = writes();
  progress.update({ kind: "note", text: "late" });
  assert.equal(writes(), before);
  assert.deepEqual(lines(), ["  dump"]);
});

Deno.test("in a pipe there is a line for each finished stage, and one a minute for long ones", () => {
  let text = "";
  let clock = 0;
  const progress = createPlainProgress({ now: () => clock, write: (more) => text += more });
  progress.update({ kind: "stage-started", stage: "snapshot" });
  progress.update({ kind: "stage-done", stage: "snapshot", text: "consistent copy of 136 MB in 0.4 s" });
  for (let second = 0; second <= 125; second++, clock += 1000) {
    progress.update({
      kind: "stage-progress",
      stage: "dump",
      done: second * 100_000_000,
      total: 20_000_000_000,
    });
  }
  progress.update({ kind: "note", text: "the spool is full: waiting for the upload" });
  progress.update({ kind: "stage-done", stage: "dump", done: 20e9, total: 20e9, text: "20 GB → 3 GB zstd" });
  progress.finish();
  assert.equal(
    text,
    [
      "  snapshot   consistent copy of 136 MB in 0.4 s",
      "  dump       6 GB  30 %  100 MB/s  2 min left",
      "  dump       12 GB  60 %  100 MB/s  1 min left",
      "the spool is full: waiting for the upload",
      "  dump       20 GB → 3 GB zstd  159 MB/s",
      "",
    ].join("\n"),
  );
});
