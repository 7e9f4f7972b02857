import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CairnError } from "../../errors.ts";
import { openDatabase } from "../../engine/database.ts";
import { openEngine } from "../../engine/engine.ts";
import { type Fence, type Journal, openJournal } from "../../engine/journal.ts";
import { rejection, scratch, untilAborted, workflow } from "./scratch.ts";

const claim = () => ({ recoveries: 0, finishedAtRecovery: 0, cancelRequested: false });
const run = { id: "r1", workflow: "test", version: 1, label: "test", locks: [], input: "null" };
const end = { busy: 0, progress: 0, total: null };

const WRITES: Record<string, (journal: Journal, fence: Fence) => Promise<unknown>> = {
  stepStarted: (journal, fence) => journal.stepStarted(fence, "new"),
  stepStartedAgain: (journal, fence) => journal.stepStarted(fence, "old"),
  sleepStarted: (journal, fence) => journal.sleepStarted(fence, "sleep", 5),
  stepDone: (journal, fence) => journal.stepEnded(fence, "old", { ...end, status: "done", result: "1" }),
  stepRetry: (journal, fence) => journal.stepEnded(fence, "old", { ...end, status: "waiting", wakeAt: 1 }),
  stepFailed: (journal, fence) =>
    journal.stepEnded(fence, "old", { ...end, status: "failed", error: new CairnError("io", "bad") }),
  progress: (journal, fence) => {
    try {
      return Promise.resolve(journal.progress(fence, "old", 7, 9));
    } catch (error) {
      return Promise.reject(error);
    }
  },
  done: (journal, fence) => journal.finish(fence, "done", "1"),
  cancelled: (journal, fence) => journal.finish(fence, "cancelled", null),
  failed: (journal, fence) => journal.stop(fence, { status: "failed", error: new CairnError("io", "bad") }),
  interrupted: (journal, fence) => journal.stop(fence, { status: "interrupted", stoppedBy: "person" }),
};

for (const [name, write] of Object.entries(WRITES)) {
  Deno.test(`${name} writes nothing once another process has taken the run`, async () => {
    await using folder = await scratch();
    const database = await openDatabase(folder.path, { patienceMilliseconds: 1000, mountinfo: "" });
    const journal = openJournal(database, () => 1);
    const content = () => [database.connection.prepare("SELECT * FROM run").all(), steps(), data()];
    const steps = () => database.connection.prepare("SELECT * FROM step").all();
    const data = () => database.connection.prepare("SELECT * FROM run_data").all();
    await journal.create(run);
    const first = await journal.claim("r1", claim);
    await journal.stepStarted(first, "old");
    const second = await journal.claim("r1", claim);
    const before = content();
    await rejection(write(journal, first), "fenced");
    assert.deepEqual(content(), before);
    await write(journal, second);
    assert.notDeepEqual(content(), before);
    database.close();
  });
}

Deno.test("a claim is decided and written in one transaction", async () => {
  await using folder = await scratch();
  const database = await openDatabase(folder.path, { patienceMilliseconds: 1000, mountinfo: "" });
  const journal = openJournal(database, () => 1);
  await journal.create(run);
  await rejection(
    journal.claim("r1", () => {
      throw new CairnError("refused", "no");
    }),
    "refused",
  );
  assert.equal((await journal.row("r1"))?.generation, 0);
  await rejection(journal.claim("r1", () => ({ stuck: new CairnError("stuck", "why") })), "stuck");
  const row = await journal.row("r1");
  assert.deepEqual([row?.status, row?.generation, row?.error?.message], ["stuck", 0, "why"]);
  await rejection(journal.claim("r2", claim), "not_found");
  database.close();
});

Deno.test("an execution whose run was taken stops at its next write, or soon without one", async () => {
  await using folder = await scratch();
  const steal = () => {
    const database = new DatabaseSync(`${folder.path}/control.db`);
    database.exec("UPDATE run SET generation = generation + 1");
    database.close();
  };
  let late = false;
  const writing = workflow(async (context, _: null) => {
    await context.step("stolen", () =>
      Promise.resolve(steal())
        .then(() => null));
    late = true;
    return null;
  });
  const silent = workflow(async (context, _: null) => {
    return await context.step("silent", ({ signal }) => {
      steal();
      return untilAborted(signal);
    });
  }, { name: "silent" });
  await using engine = await openEngine({ folder: folder.path, workflows: [writing, silent] });
  for (const [id, stolen] of [["r1", writing], ["r2", silent]] as const) {
    await engine.create(stolen, null, { id, label: "test", locks: [] });
    await rejection(engine.execute(id), "fenced");
    assert.equal((await engine.find(id)).status, "interrupted");
    assert.deepEqual((await engine.steps(id)).map((step) => step.status), ["interrupted"]);
  }
  assert(!late);
});

Deno.test("a run that crashes again and again without finishing a step is stuck until a person resumes it", async () => {
  await using folder = await scratch();
  const steal = () => {
    const database = new DatabaseSync(`${folder.path}/control.db`);
    database.exec("UPDATE run SET generation = generation + 1");
    database.close();
  };
  let good = 0;
  let crashes = true;
  const crashing = workflow(async (context, _: null) => {
    for (let step = 0; step < good; step++) await context.step(`good/${step}`, () => Promise.resolve(null));
    await context.step("bad", () => {
      if (crashes) steal();
      return Promise.resolve(null);
    });
    return "over";
  });
  await using engine = await openEngine({ folder: folder.path, workflows: [crashing], recoveryLimit: 2 });
  await engine.create(crashing, null, { id: "r1", label: "test", locks: [] });
  const automatic = { automatic: true };
  // The start is no recovery; a recovery that finishes a step begins the count anew.
  for (good of [0, 0, 1, 1]) await rejection(engine.execute("r1", automatic), "fenced");
  await rejection(engine.execute("r1", automatic), "fenced");
  assert.match((await rejection(engine.execute("r1", automatic), "stuck")).message, /2 times/);
  const view = await engine.find("r1");
  assert.deepEqual([view.status, view.resumable], ["stuck", true]);
  await rejection(engine.execute("r1", automatic), "refused");
  await rejection(engine.execute("r1"), "fenced");
  await rejection(engine.execute("r1", automatic), "fenced");
  crashes = false;
  assert.equal(await engine.execute("r1", automatic), "over");
});
