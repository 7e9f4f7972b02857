/** What every engine must do for the steps of a run. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import type { RunEvent } from "../../engine/run.ts";
import type { Json } from "../../engine/workflow.ts";
import { rejection, retries, scratch, untilAborted, workflow } from "../engine/scratch.ts";
import type { OpenEngine } from "./engine.ts";

const plain = { label: "test", locks: [] };
const shutdown = "shutdown";

/** Registers the tests. */
export function stepConformance(name: string, open: OpenEngine): void {
  const test = (behaviour: string, body: () => Promise<void>) => Deno.test(`${name}: ${behaviour}`, body);

  test("a run returns its output, and a done run returns it without running again", async () => {
    await using folder = await scratch();
    let runs = 0;
    const sum = workflow(async (context, input: { a: number; b: number }) => {
      runs++;
      const a = await context.step("read/a", () => Promise.resolve(input.a));
      const b = await context.step("read/b", () => Promise.resolve(input.b));
      return { sum: a + b, id: context.id, generation: context.generation };
    });
    await using engine = await open({ folder: folder.path, workflows: [sum] });
    await engine.create(sum, { a: 1, b: 2 }, { ...plain, id: "r1" });
    const created = await engine.find("r1");
    assert.deepEqual([created.status, created.resumable, created.owner], ["queued", true, null]);
    const expected = { sum: 3, id: "r1", generation: 1 };
    assert.deepEqual(await engine.execute("r1"), expected);
    assert.deepEqual(await engine.execute("r1"), expected);
    assert.equal(runs, 1);
    assert.deepEqual(await engine.input("r1"), { a: 1, b: 2 });
    const done = await engine.find("r1");
    assert.deepEqual([done.status, done.resumable, done.generation], ["done", false, 1]);
  });

  test("what a step returns is the same when it is run and when it is replayed", async () => {
    await using folder = await scratch();
    let stop = new AbortController();
    const seen: Json[] = [];
    let value: Json = null;
    const echo = workflow(async (context, _: null) => {
      seen.push(await context.step("value", () => Promise.resolve(value)));
      await context.step("end", ({ number, signal }) => {
        if (number > 1) return Promise.resolve(null);
        stop.abort(shutdown);
        return untilAborted(signal);
      });
      return null;
    });
    let run = 0;
    const oddities = fc.oneof(fc.jsonValue(), fc.constant(-0), fc.constant({ at: new Date(0).toJSON() }));
    await fc.assert(
      fc.asyncProperty(oddities, async (generated) => {
        value = JSON.parse(JSON.stringify({ generated })).generated ?? null;
        const id = `r${run++}`;
        seen.length = 0;
        for (let opened = 0; opened < 2; opened++) {
          stop = new AbortController();
          await using engine = await open({ folder: folder.path, workflows: [echo], signal: stop.signal });
          if (opened === 0) {
            await engine.create(echo, null, { ...plain, id });
            await rejection(engine.execute(id), "interrupted");
          } else await engine.execute(id);
        }
        assert.equal(seen.length, 2);
        assert.deepEqual(seen[1], seen[0]);
      }),
      { numRuns: 15 },
    );
  });

  test("a finished step is never run again, and a step that was cut off is", async () => {
    await using folder = await scratch();
    const calls: string[] = [];
    const stop = new AbortController();
    const two = workflow(async (context, _: null) => {
      const first = await context.step("first", () => {
        calls.push("first");
        return Promise.resolve(Math.random());
      });
      const second = await context.step("second", ({ number, signal }) => {
        calls.push(`second ${number}`);
        if (number > 1) return Promise.resolve(first);
        stop.abort(shutdown);
        return untilAborted(signal);
      });
      return { first, second };
    });
    {
      await using engine = await open({ folder: folder.path, workflows: [two], signal: stop.signal });
      await engine.create(two, null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), "interrupted");
      await rejection(engine.execute("r1"), "interrupted");
    }
    await using engine = await open({ folder: folder.path, workflows: [two] });
    const view = await engine.find("r1");
    assert.deepEqual([view.status, view.resumable, view.needsPerson], ["interrupted", true, null]);
    assert.deepEqual((await engine.steps("r1")).map((step) => [step.name, step.status]), [
      ["first", "done"],
      ["second", "interrupted"],
    ]);
    const output = await engine.execute("r1", { automatic: true });
    assert(typeof output === "object" && output !== null && "first" in output && "second" in output);
    assert.equal(output.first, output.second);
    assert.deepEqual(calls, ["first", "second 1", "second 2"]);
  });

  test("a step that finishes although it was told to stop is kept", async () => {
    await using folder = await scratch();
    const stop = new AbortController();
    let calls = 0;
    const stubborn = workflow(async (context, _: null) => {
      await context.step("stubborn", () => {
        calls++;
        stop.abort(shutdown);
        return Promise.resolve(null);
      });
      await context.step("next", () => Promise.resolve(null));
      return null;
    });
    {
      await using engine = await open({ folder: folder.path, workflows: [stubborn], signal: stop.signal });
      await engine.create(stubborn, null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), "interrupted");
    }
    await using engine = await open({ folder: folder.path, workflows: [stubborn] });
    await engine.execute("r1");
    assert.equal(calls, 1);
  });

  test("steps overlap", async () => {
    await using folder = await scratch();
    const both = workflow(async (context, _: null) => {
      const gate = Promise.withResolvers<string>();
      return await Promise.all([
        context.step("waits", () => gate.promise),
        context.step("opens", () => {
          gate.resolve("open");
          return Promise.resolve("opened");
        }),
      ]);
    });
    await using engine = await open({ folder: folder.path, workflows: [both] });
    await engine.create(both, null, { ...plain, id: "r1" });
    assert.deepEqual(await engine.execute("r1"), ["open", "opened"]);
  });

  test("a step is retried as often as its policy says, and no more", async () => {
    await using folder = await scratch();
    await using engine = await open({ folder: folder.path, workflows: [flaky] });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.nat(4), async (budget, failures) => {
        const id = `r${run++}`;
        await engine.create(flaky, { budget, failures }, { ...plain, id });
        if (failures <= budget) assert.equal(await engine.execute(id), failures + 1);
        else {
          const error = await rejection(engine.execute(id), "unreachable");
          assert.equal(error.message, `failure ${budget + 1}`);
          const view = await engine.find(id);
          assert.deepEqual([view.status, view.error?.code, view.resumable], ["failed", "unreachable", true]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("an error that cannot pass is not retried", async () => {
    await using folder = await scratch();
    let tries = 0;
    const wrong = workflow(async (context, _: null) => {
      await context.step("wrong", () => {
        tries++;
        throw new CairnError("key", "wrong key", { hint: "use the right one" });
      }, retries(5));
      return null;
    });
    await using engine = await open({ folder: folder.path, workflows: [wrong] });
    await engine.create(wrong, null, { ...plain, id: "r1" });
    await rejection(engine.execute("r1"), "key");
    assert.equal(tries, 1);
    const { error, needsPerson } = await engine.find("r1");
    assert.deepEqual(error, { code: "key", message: "wrong key", hint: "use the right one" });
    assert(needsPerson !== null);
  });

  test("the retry budget counts thrown errors over restarts, not restarts", async () => {
    await using folder = await scratch();
    let stop = new AbortController();
    const tries: number[] = [];
    const failing = workflow(async (context, _: null) => {
      await context.step("failing", ({ number, signal }) => {
        tries.push(number);
        if (number % 2 === 1) throw new Error(`failure ${number}`);
        stop.abort(shutdown);
        return untilAborted(signal);
      }, retries(2));
      return null;
    });
    for (const expected of ["interrupted", "interrupted", "internal"] as const) {
      stop = new AbortController();
      await using engine = await open({ folder: folder.path, workflows: [failing], signal: stop.signal });
      if (tries.length === 0) await engine.create(failing, null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), expected);
    }
    assert.deepEqual(tries, [1, 2, 3, 4, 5]);
  });

  test("resuming a failed run keeps its finished steps and gives the failed one a fresh budget", async () => {
    await using folder = await scratch();
    let broken = true;
    const calls = { first: 0, second: 0 };
    const mended = workflow(async (context, _: null) => {
      await context.step("first", () => Promise.resolve(++calls.first));
      return await context.step("second", () => {
        calls.second++;
        if (broken) throw new Error("broken");
        return Promise.resolve("mended");
      }, retries(1));
    });
    await using engine = await open({ folder: folder.path, workflows: [mended] });
    await engine.create(mended, null, { ...plain, id: "r1" });
    await rejection(engine.execute("r1"), "internal");
    await rejection(engine.execute("r1"), "internal");
    assert.deepEqual(calls, { first: 1, second: 4 });
    await rejection(engine.execute("r1", { automatic: true }), "refused");
    broken = false;
    assert.equal(await engine.execute("r1"), "mended");
    assert.deepEqual(calls, { first: 1, second: 5 });
  });

  test("a workflow that throws outside its steps has failed", async () => {
    await using folder = await scratch();
    const throwing = workflow((_context, _: null): Promise<null> => {
      throw new CairnError("refused", "the target is not empty");
    });
    await using engine = await open({ folder: folder.path, workflows: [throwing] });
    await engine.create(throwing, null, { ...plain, id: "r1" });
    await rejection(engine.execute("r1"), "refused");
    assert.equal((await engine.find("r1")).status, "failed");
  });

  test("a failing step ends the steps beside it before the run is let go", async () => {
    await using folder = await scratch();
    let ended = false;
    const pair = workflow(async (context, _: null) => {
      await Promise.all([
        context.step("waits", async ({ signal }) => {
          await untilAborted(signal).catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 20));
          ended = true;
          throw new Error("stopped");
        }),
        context.step("fails", () => Promise.reject(new CairnError("key", "wrong key"))),
      ]);
      return null;
    });
    await using engine = await open({ folder: folder.path, workflows: [pair] });
    await engine.create(pair, null, { ...plain, id: "r1" });
    await rejection(engine.execute("r1"), "key");
    assert(ended);
    assert.deepEqual((await engine.steps("r1")).map((step) => step.status).sort(), ["failed", "interrupted"]);
  });

  test("two steps of one name, and steps that outlive their workflow, are defects that fail the run", async () => {
    await using folder = await scratch();
    const twice = workflow(async (context, _: null) => {
      await context.step("same", () => Promise.resolve(1));
      return await context.step("same", () => Promise.resolve(2));
    });
    const forgetful = workflow((context, _: null) => {
      context.step("forgotten", ({ signal }) => untilAborted(signal));
      return Promise.resolve(null);
    }, { name: "forgetful" });
    await using engine = await open({ folder: folder.path, workflows: [twice, forgetful] });
    await engine.create(twice, null, { ...plain, id: "r1" });
    assert.match((await rejection(engine.execute("r1"), "internal")).message, /two steps named same/);
    await engine.create(forgetful, null, { ...plain, id: "r2" });
    assert.match((await rejection(engine.execute("r2"), "internal")).message, /steps were running/);
  });

  test("a sleep ends at the time that was journaled, also in another process", async () => {
    await using folder = await scratch();
    const stop = new AbortController();
    const hour = 3_600_000;
    const sleeper = workflow(async (context, _: null) => {
      await context.sleep("night", hour);
      return "awake";
    });
    {
      await using engine = await open({ folder: folder.path, workflows: [sleeper], signal: stop.signal });
      await engine.create(sleeper, null, { ...plain, id: "r1" });
      const asleep = Promise.withResolvers<void>();
      const running = engine.execute("r1", {
        onEvent: (event) => event.kind === "waiting" && asleep.resolve(),
      });
      await asleep.promise;
      assert.equal((await engine.find("r1")).status, "waiting");
      stop.abort(shutdown);
      await rejection(running, "interrupted");
    }
    await using engine = await open({
      folder: folder.path,
      workflows: [sleeper],
      now: () => Date.now() + hour,
    });
    assert.equal(await engine.execute("r1"), "awake");
  });

  test("events tell what happens, in order", async () => {
    await using folder = await scratch();
    const talkative = workflow(async (context, _: null) => {
      context.note("hello");
      await context.step("one", ({ number, progress }) => {
        progress(1, 2);
        if (number === 1) throw new Error("once");
        return Promise.resolve(null);
      }, retries(1));
      return null;
    });
    await using engine = await open({ folder: folder.path, workflows: [talkative] });
    await engine.create(talkative, null, { ...plain, id: "r1" });
    const events: RunEvent[] = [];
    await engine.execute("r1", { onEvent: (event) => events.push(event) });
    assert(events.every((event) => event.run === "r1"));
    assert.deepEqual(events.map(({ kind, message, done, total }) => [kind, message ?? done, total]), [
      ["run-started", undefined, undefined],
      ["note", "hello", undefined],
      ["step-started", undefined, undefined],
      ["progress", 1, 2],
      ["step-failed", "once", undefined],
      ["waiting", "once", undefined],
      ["step-started", undefined, undefined],
      ["progress", 1, 2],
      ["step-done", undefined, undefined],
      ["run-ended", "done", undefined],
    ]);
  });
}

const flaky = workflow(async (context, { budget, failures }: { budget: number; failures: number }) => {
  return await context.step("flaky", ({ number }) => {
    if (number > failures) return Promise.resolve(number);
    throw new CairnError("unreachable", `failure ${number}`);
  }, retries(budget));
});
