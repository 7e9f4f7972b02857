/** What every engine must do for runs: stopping, cancelling, ownership, and how they are seen. */
import assert from "node:assert/strict";
import { CairnError } from "../../errors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Json } from "../../engine/workflow.ts";
import { rejection, retries, scratch, untilAborted, workflow } from "../engine/scratch.ts";
import type { OpenEngine } from "./engine.ts";

const plain = { label: "test", locks: [] };
const shutdown = "shutdown";
const person = "interrupted";

/** Registers the tests. */
export function runConformance(name: string, open: OpenEngine): void {
  const test = (behaviour: string, body: () => Promise<void>) => Deno.test(`${name}: ${behaviour}`, body);

  test("what a person interrupted waits for a person", async () => {
    await using folder = await scratch();
    const stop = new AbortController();
    const waiting = workflow(async (context, _: null) => {
      return await context.step("wait", ({ number, signal }) => {
        if (number > 1) return Promise.resolve(number);
        stop.abort(person);
        return untilAborted(signal);
      });
    });
    {
      await using engine = await open({ folder: folder.path, workflows: [waiting], signal: stop.signal });
      await engine.create(waiting, null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), "interrupted");
    }
    await using engine = await open({ folder: folder.path, workflows: [waiting] });
    const view = await engine.find("r1");
    assert.deepEqual([view.status, view.resumable, view.error], ["interrupted", true, null]);
    assert(view.needsPerson !== null);
    await rejection(engine.execute("r1", { automatic: true }), "refused");
    assert.equal(await engine.execute("r1"), 2);
  });

  test("an orderly shutdown is no crash: the guard against crash loops does not count it", async () => {
    await using folder = await scratch();
    let stop = new AbortController();
    const long = workflow(async (context, _: null) => {
      return await context.step("long", ({ number, signal }) => {
        if (number > 4) return Promise.resolve(number);
        stop.abort(shutdown);
        return untilAborted(signal);
      });
    });
    for (let round = 0; round < 5; round++) {
      stop = new AbortController();
      await using engine = await open({
        folder: folder.path,
        workflows: [long],
        signal: stop.signal,
        recoveryLimit: 1,
      });
      if (round === 0) await engine.create(long, null, { ...plain, id: "r1" });
      if (round < 4) await rejection(engine.execute("r1", { automatic: true }), "interrupted");
      else assert.equal(await engine.execute("r1", { automatic: true }), 5);
    }
  });

  test("a step that ignores its abort keeps the run locked, but not the process", async () => {
    await using folder = await scratch();
    const stop = new AbortController();
    const release = Promise.withResolvers<null>();
    const deaf = workflow(async (context, _: null) => {
      return await context.step("deaf", ({ number }) => {
        if (number > 1) return Promise.resolve(null);
        stop.abort(shutdown);
        return release.promise;
      });
    });
    await using other = await open({ folder: folder.path, workflows: [deaf] });
    {
      await using engine = await open({
        folder: folder.path,
        workflows: [deaf],
        signal: stop.signal,
        graceMilliseconds: 10,
      });
      await engine.create(deaf, null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), "interrupted");
      await rejection(other.execute("r1"), "busy");
    }
    release.resolve(null);
    await released(other, "r1");
    assert.equal(await other.execute("r1"), null);
  });

  test("a run that never started is cancelled at once", async () => {
    await using folder = await scratch();
    let cleaned = 0;
    const unused = workflow((_context, _: null) => Promise.resolve(null), {
      clean: () => {
        cleaned++;
        return Promise.resolve();
      },
    });
    await using engine = await open({ folder: folder.path, workflows: [unused] });
    await engine.create(unused, null, { ...plain, id: "r1" });
    assert.equal(await engine.cancel("r1"), "cancelled");
    assert.equal(await engine.cancel("r1"), "cancelled");
    assert.equal((await engine.find("r1")).status, "cancelled");
    assert.equal(cleaned, 0);
    await rejection(engine.execute("r1"), "refused");
    await rejection(engine.cancel("nope"), "not_found");
  });

  test("cancelling an interrupted run cleans it, again until that succeeds, but no finished step twice", async () => {
    await using folder = await scratch();
    const calls: string[] = [];
    let broken = true;
    const messy = workflow(async (context, _: { file: string }): Promise<null> => {
      return await context.step("remove", () => {
        throw new CairnError("key", "made a mess");
      });
    }, {
      async clean(context, input) {
        await context.step("remove", () => {
          calls.push(`remove ${input.file} of ${context.id}`);
          return Promise.resolve(null);
        });
        await context.step("forget", () => {
          calls.push("forget");
          if (broken) throw new Error("not yet");
          return Promise.resolve(null);
        }, retries(1));
      },
    });
    await using engine = await open({ folder: folder.path, workflows: [messy] });
    await engine.create(messy, { file: "a" }, { ...plain, id: "r1" });
    await rejection(engine.execute("r1"), "key");
    await rejection(engine.cancel("r1"), "internal");
    const failed = await engine.find("r1");
    assert.deepEqual([failed.status, failed.cancelRequested, failed.resumable], ["failed", true, false]);
    broken = false;
    await rejection(engine.execute("r1"), "interrupted");
    assert.deepEqual(calls, ["remove a of r1", "forget", "forget", "forget"]);
    const view = await engine.find("r1");
    assert.deepEqual([view.status, view.stages.map(({ stage }) => stage)], ["cancelled", [
      "remove",
      "clean",
    ]]);
  });

  test("a run that is executed elsewhere is cancelled there", async () => {
    await using folder = await scratch();
    let cleaned = 0;
    const waiting = workflow(async (context, _: null) => {
      return await context.step("wait", ({ signal }) => untilAborted(signal));
    }, {
      clean: () => {
        cleaned++;
        return Promise.resolve();
      },
    });
    await using engine = await open({ folder: folder.path, workflows: [waiting] });
    await using other = await open({ folder: folder.path, workflows: [waiting] });
    for (const [id, canceller] of [["elsewhere", other], ["here", engine]] as const) {
      await engine.create(waiting, null, { ...plain, id });
      const running = await started(engine, id);
      const rejected = rejection(running.result, "interrupted");
      // Which of both depends on how soon the owner notices.
      assert(["requested", "cancelled"].includes(await canceller.cancel(id)));
      await rejected;
      assert.equal((await engine.find(id)).status, "cancelled");
    }
    assert.equal(cleaned, 2);
  });

  test("a done run cannot be cancelled", async () => {
    await using folder = await scratch();
    const quick = workflow((_context, _: null) => Promise.resolve("done"));
    await using engine = await open({ folder: folder.path, workflows: [quick] });
    await engine.create(quick, null, { ...plain, id: "r1" });
    await engine.execute("r1");
    await rejection(engine.cancel("r1"), "refused");
  });

  test("only one process executes a run, and one run holds a lock", async () => {
    await using folder = await scratch();
    const gate = Promise.withResolvers<null>();
    const locked = workflow(async (context, _: null) => {
      return await context.step("wait", () => gate.promise);
    });
    await using engine = await open({ folder: folder.path, workflows: [locked] });
    await using other = await open({ folder: folder.path, workflows: [locked] });
    await engine.create(locked, null, { label: "a", id: "r1", locks: ["database:x", "database:a"] });
    await engine.create(locked, null, { label: "a", id: "r2", locks: ["database:b", "database:x"] });
    const running = await started(engine, "r1");
    const view = await other.find("r1");
    assert.deepEqual([view.status, view.owner, view.resumable], ["running", { pid: Deno.pid }, false]);
    assert.deepEqual(view.locks, ["database:a", "database:x"]);
    for (const one of [engine, other]) {
      const same = await rejection(one.execute("r1"), "busy");
      assert.match(same.message, new RegExp(`r1.*${Deno.pid}`));
      const lock = await rejection(one.execute("r2"), "busy");
      assert.match(lock.message, new RegExp(`database:x.*r1.*${Deno.pid}`));
      assert.equal((await one.find("r2")).status, "queued");
    }
    gate.resolve(null);
    await running.result;
    assert.equal(await other.execute("r2"), null);
  });

  test("a run of another version of its workflow is stuck, and can be cancelled", async () => {
    await using folder = await scratch();
    const cleaned: string[] = [];
    const version = (version: number) =>
      workflow((_context, _: null): Promise<null> => Promise.reject(new Error("down")), {
        version,
        clean: (context) => {
          cleaned.push(context.id);
          return Promise.resolve();
        },
      });
    {
      await using engine = await open({ folder: folder.path, workflows: [version(1)] });
      await engine.create(version(1), null, { ...plain, id: "r1" });
      await rejection(engine.execute("r1"), "internal");
    }
    await using engine = await open({ folder: folder.path, workflows: [version(2)] });
    assert.match((await rejection(engine.execute("r1"), "stuck")).message, /version 1.*version 2/);
    const view = await engine.find("r1");
    assert.deepEqual([view.status, view.error?.code], ["stuck", "stuck"]);
    assert(view.needsPerson?.includes("version"));
    assert.equal(await engine.cancel("r1"), "cancelled");
    assert.deepEqual(cleaned, ["r1"]);
  });

  test("ids are unique, checked, and found by their beginning", async () => {
    await using folder = await scratch();
    const quick = workflow((_context, _: null) => Promise.resolve(null));
    await using engine = await open({ folder: folder.path, workflows: [quick] });
    for (const id of ["backup-1", "backup-10", "backup-2", "nightly@2026-11-23T03:00:00Z"]) {
      await engine.create(quick, null, { ...plain, id });
    }
    await rejection(engine.create(quick, null, { ...plain, id: "backup-1" }), "exists");
    for (const id of ["", "../x", "a/b", "a b", "-a", "x".repeat(129)]) {
      await rejection(engine.create(quick, null, { ...plain, id }), "usage");
    }
    assert.equal((await engine.find("backup-1")).id, "backup-1");
    assert.equal((await engine.find("night")).id, "nightly@2026-11-23T03:00:00Z");
    assert.match((await rejection(engine.find("backup"), "usage")).message, /backup-1 or backup-10/);
    for (const prefix of ["nope", "", "%", "backup_"]) await rejection(engine.find(prefix), "not_found");
    await rejection(engine.execute("backup"), "not_found");
  });

  test("runs are listed newest first, by label, and unfinished ones alone", async () => {
    await using folder = await scratch();
    let time = 1000;
    const quick = workflow((_context, _: null) => Promise.resolve(null));
    await using engine = await open({ folder: folder.path, workflows: [quick], now: () => time });
    for (const [id, label] of [["r1", "a"], ["r2", "b"], ["r3", "a"]] as const) {
      time++;
      await engine.create(quick, null, { id, label, locks: [] });
    }
    await engine.execute("r1");
    const ids = async (filter?: Parameters<Engine["runs"]>[0]) =>
      (await engine.runs(filter)).map((run) => run.id);
    assert.deepEqual(await ids(), ["r3", "r2", "r1"]);
    assert.deepEqual(await ids({ label: "a" }), ["r3", "r1"]);
    assert.deepEqual(await ids({ unfinished: true }), ["r3", "r2"]);
    assert.deepEqual(await ids({ label: "a", unfinished: true, limit: 1 }), ["r3"]);
    assert.equal((await engine.find("r3")).createdAt, 1003);
  });

  test("the stages of a run are the same before and after it ends", async () => {
    await using folder = await scratch();
    const before: Json[] = [];
    const staged = workflow(async (context, _: null) => {
      for (const part of [1, 2]) {
        await context.step(`dump/${part}`, ({ progress, number }) => {
          progress(10 * part, 100);
          if (number < 3) throw new Error("again");
          return Promise.resolve(null);
        }, retries(2));
      }
      await context.sleep("pause", 1);
      before.push(...(await engine.find("r1")).stages);
      return null;
    });
    await using engine: Engine = await open({ folder: folder.path, workflows: [staged] });
    await engine.create(staged, null, { ...plain, id: "r1" });
    await engine.execute("r1");
    const { stages } = await engine.find("r1");
    assert.deepEqual(before, stages);
    const numbers = stages.map(({ milliseconds: _, ...rest }) => rest);
    assert.deepEqual(numbers, [
      { stage: "dump", steps: 2, finished: 2, done: 30, total: 200, retries: 4 },
      { stage: "pause", steps: 1, finished: 1, done: 0, total: null, retries: 0 },
    ]);
    assert.deepEqual(await engine.steps("r1"), []);
  });
}

/** Starts a run and waits until its first step has begun. */
async function started(engine: Engine, id: string): Promise<{ result: Promise<Json> }> {
  const begun = Promise.withResolvers<void>();
  const result = engine.execute(id, {
    onEvent: (event) => event.kind === "step-started" && begun.resolve(),
  });
  await Promise.race([begun.promise, result]);
  return { result };
}

/** Waits until no process executes the run. */
async function released(engine: Engine, id: string): Promise<void> {
  while ((await engine.find(id)).owner !== null) await new Promise((resolve) => setTimeout(resolve, 5));
}
