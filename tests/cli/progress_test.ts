import fc from "fast-check";
import assert from "node:assert/strict";
import {
  advance,
  NO_PROGRESS,
  plainStage,
  type ProgressEvent,
  type ProgressState,
  render,
} from "../../cli/progress.ts";
import { textWidth } from "../../cli/text.ts";

/** The state after events that come one second apart. */
function after(...events: ProgressEvent[]): { state: ProgressState; at: number } {
  let state = NO_PROGRESS;
  let at = 0;
  for (const event of events) state = advance(state, event, at += 1000);
  return { state, at };
}

const dump = (done: number, text?: string): ProgressEvent => ({
  kind: "stage-progress",
  stage: "dump",
  done,
  total: 41_000_000_000,
  text,
});

Deno.test("a stage that runs has a bar, its share, its rate and the time left", () => {
  const { state, at } = after(
    dump(12_164_000_000, "12.4 GB → 2.1 GB"),
    dump(12_282_000_000, "12.4 GB → 2.1 GB"),
  );
  assert.deepEqual(render(state, 100, false, at), [
    "  dump       12.4 GB → 2.1 GB ━━━━━━╸━━━━━━━━━━━━━━━  29 %  118 MB/s  4 min left",
  ]);
});

Deno.test("finished stages stay as lines above the ones that run", () => {
  const { state, at } = after(
    { kind: "stage-started", stage: "snapshot" },
    { kind: "stage-progress", stage: "snapshot", done: 5, total: 10 },
    { kind: "stage-done", stage: "snapshot", text: "consistent copy of 136 MB in 0.4 s" },
    { kind: "stage-progress", stage: "dump", done: 0, total: 136_000_000 },
    { kind: "stage-progress", stage: "upload", done: 0, total: 2, unit: "items" },
    { kind: "note", text: "the spool is full: waiting for the upload" },
    { kind: "stage-progress", stage: "upload", done: 1, total: 2, unit: "items" },
    {
      kind: "stage-done",
      stage: "dump",
      done: 136_000_000,
      total: 136_000_000,
      text: "136 MB → 31.2 MB zstd",
    },
  );
  assert.deepEqual(render(state, 80, false, at), [
    "  snapshot   consistent copy of 136 MB in 0.4 s",
    "the spool is full: waiting for the upload",
    "  dump       136 MB → 31.2 MB zstd ━━━━━━━━━━━━━━━━━━━━━━ 100 %  34 MB/s",
    "  upload     1 of 2 ━━━━━━━━━━━╸━━━━━━━━━━  50 %  3 s left",
  ]);
});

Deno.test("colour is only in the bar, and only when wanted", () => {
  const { state, at } = after(dump(20_500_000_000));
  const [line = ""] = render(state, 80, true, at);
  assert.match(line.replaceAll("\x1b", "^"), /\^\[32m━+╸\^\[39m\^\[2m━+\^\[22m/);
  assert.ok(!render(state, 80, false, at).join("").includes("\x1b"));
});

Deno.test("in a narrow terminal the bar shrinks, then goes, then the facts go from the right", () => {
  const { state, at } = after(dump(12_164_000_000), dump(12_282_000_000));
  const frame = (width: number) => render(state, width, false, at)[0];
  assert.equal(frame(60), "  dump       12.3 GB ━━━╸━━━━━━━  29 %  118 MB/s  4 min left");
  assert.equal(frame(50), "  dump       12.3 GB  29 %  118 MB/s  4 min left");
  assert.equal(frame(40), "  dump       12.3 GB  29 %  118 MB/s");
  assert.equal(frame(28), "  dump       12.3 GB  29 %");
  assert.equal(frame(22), "  dump       12.3 GB");
  assert.equal(frame(16), "  dump       12…");
});

Deno.test("the rate is that of the last seconds, and does not count what was done before", () => {
  const events = [0, 1, 2, 3, 4].map((second) => dump(10_000_000_000 + second * 50_000_000));
  const { state, at } = after(...events);
  assert.match(plainStage(state.active[0] ?? assert.fail(), at), / 50 MB\/s /);
  let slow = state;
  for (let second = 1; second <= 12; second++) {
    slow = advance(slow, dump(10_200_000_000 + second * 1_000_000), at + second * 1000);
  }
  assert.match(plainStage(slow.active[0] ?? assert.fail(), at + 12_000), / 1 MB\/s /);
});

Deno.test("an amount that falls begins anew: another take", () => {
  const { state, at } = after(dump(12_000_000_000), dump(12_100_000_000), dump(0), dump(10_000_000));
  assert.match(plainStage(state.active[0] ?? assert.fail(), at), /10 MB {2}0 % {2}10 MB\/s/);
});

Deno.test("more than was expected is never more than all of it", () => {
  const { state, at } = after(dump(50_000_000_000));
  assert.match(render(state, 80, false, at)[0] ?? "", /━ 100 %$/);
});

Deno.test("a stage without amounts is a name and a text", () => {
  const { state, at } = after({ kind: "stage-started", stage: "check", text: "quick_check" });
  assert.deepEqual(render(state, 80, false, at), ["  check      quick_check"]);
  const done = advance(state, { kind: "stage-done", stage: "check" }, at);
  assert.deepEqual(render(done, 80, false, at), ["  check      quick_check"]);
});

Deno.test("text from outside cannot steer the terminal", () => {
  const { state, at } = after({ kind: "note", text: "NOTICE: \x1b[2Jgone\n" });
  assert.deepEqual(render(state, 80, false, at), ["NOTICE: \\x1b[2Jgone\\x0a"]);
});

Deno.test("no frame is wider than the terminal, and settled lines never change", () => {
  const stage = fc.constantFrom("snapshot", "dump", "upload", "a very long stage of somebody");
  const amounts = {
    done: fc.nat({ max: 1e12 }),
    total: fc.option(fc.nat({ max: 1e12 }), { nil: undefined }),
  };
  const text = fc.option(fc.string({ unit: "grapheme" }), { nil: undefined });
  const event: fc.Arbitrary<ProgressEvent> = fc.oneof(
    fc.record({ kind: fc.constant("stage-started" as const), stage, text }),
    fc.record({ kind: fc.constant("stage-progress" as const), stage, text, ...amounts }),
    fc.record({ kind: fc.constant("stage-done" as const), stage, text, ...amounts }),
    fc.record({ kind: fc.constant("note" as const), text: fc.string() }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), fc.integer({ min: 1, max: 120 }), (events, width) => {
      let state = NO_PROGRESS;
      let settled: string[] = [];
      events.forEach((event, index) => {
        state = advance(state, event, index * 700);
        const frame = render(state, width, false, index * 700);
        for (const line of frame) assert.ok(textWidth(line) <= width, line);
        assert.deepEqual(frame.slice(0, settled.length), settled);
        settled = frame.slice(0, state.settled.length);
      });
    }),
  );
});
