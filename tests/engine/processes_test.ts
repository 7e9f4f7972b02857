import assert from "node:assert/strict";
import { type Engine, openEngine } from "../../engine/engine.ts";
import { rejection, scratch } from "./scratch.ts";
import { type Input, walk } from "./fixtures/workflows.ts";
import { startWorker } from "./worker_process.ts";

const LOCK = "database:sqlite:/srv/app.db";

Deno.test("a run whose process was killed goes on at once, from its last finished step", async () => {
  await using world = await makeWorld("pair/b");
  await using worker = startWorker(world.folder, "r1");
  await worker.line("at pair/b");
  await world.until("pair/a");
  assert.equal((await world.engine.find("r1")).owner?.pid, worker.pid);
  worker.kill("SIGKILL");
  await worker.status;
  const view = await world.engine.find("r1");
  assert.deepEqual([view.status, view.owner, view.resumable], ["interrupted", null, true]);
  assert.equal(await world.engine.execute("r1", { automatic: true }), 2);
  const effects = await world.effects();
  for (const [line, times] of [["first", 1], ["pair/b begun", 2], ["pair/b", 1], ["flaky", 2]] as const) {
    assert.equal(effects.filter((effect) => effect === line).length, times, line);
  }
});

Deno.test("of two processes that resume one run, exactly one does and the other is told who", async () => {
  await using world = await makeWorld("first");
  await using first = startWorker(world.folder, "r1");
  await using second = startWorker(world.folder, "r1");
  // The winner holds in its first step until the loser has given up.
  const said = await Promise.all([first, second].map((worker) => worker.line("at first", "error")));
  const [winner, loser] = said[0] === "at first" ? [first, 1] as const : [second, 0] as const;
  assert.equal(said[1 - loser], "at first");
  assert.match(said[loser] ?? "", new RegExp(`error busy run r1 .*process ${winner.pid}`));
});

Deno.test("a lock is held by its live owner alone", async () => {
  await using world = await makeWorld("first");
  await world.engine.create(walk, { effects: world.file, hold: null }, {
    id: "r2",
    label: "t",
    locks: [LOCK],
  });
  await using worker = startWorker(world.folder, "r1");
  await worker.line("at first");
  const error = await rejection(world.engine.execute("r2"), "busy");
  assert.match(error.message, new RegExp(`${LOCK} .*run r1 .*process ${worker.pid}`));
  worker.kill("SIGKILL");
  await worker.status;
  assert.equal(await world.engine.execute("r2"), 1);
});

Deno.test("a run that its maker is about to execute is nobody else's, until the maker has gone", async () => {
  await using folder = await scratch();
  const input = { effects: `${folder.path}/effects`, hold: null };
  await using other = await openEngine({ folder: folder.path, workflows: [walk] });
  {
    await using maker = await openEngine({ folder: folder.path, workflows: [walk] });
    await maker.create(walk, input, { id: "r1", label: "t", locks: [LOCK], reserve: true });
    await maker.create(walk, input, { id: "r2", label: "t", locks: [LOCK], reserve: true });
    assert.equal((await other.find("r1")).owner?.pid, Deno.pid);
    await rejection(other.execute("r1"), "busy");
    assert.equal(await maker.execute("r1"), 1);
    await rejection(maker.create(walk, input, { id: "r1", label: "t", locks: [], reserve: true }), "exists");
  }
  assert.equal((await other.find("r2")).owner, null);
  assert.equal(await other.cancel("r2"), "cancelled");
});

Deno.test("a stopped process is taken over, and never writes again", async () => {
  await using world = await makeWorld("first");
  await using stopped = startWorker(world.folder, "r1");
  await stopped.line("at first");
  stopped.kill("SIGSTOP");
  await rejection(world.engine.execute("r1"), "busy");
  await using worker = startWorker(world.folder, "r1", "take-over");
  assert.equal(await worker.line("output"), "output 2");
  // It was killed, not merely let go: going on is no longer possible.
  assert.equal((await stopped.status).signal, "SIGKILL");
  assert.throws(() => stopped.kill("SIGCONT"));
  assert.equal((await world.engine.find("r1")).status, "done");
});

Deno.test("a run is cancelled from another process within about a second", async () => {
  await using world = await makeWorld("first");
  await using worker = startWorker(world.folder, "r1");
  await worker.line("at first");
  await using canceller = startWorker(world.folder, "r1", "cancel");
  assert.equal(await canceller.line("output"), 'output "requested"');
  const asked = performance.now();
  assert.match(await worker.line("error"), /^error interrupted run r1 was cancelled/);
  assert(performance.now() - asked < 3000);
  assert.equal((await world.engine.find("r1")).status, "cancelled");
  assert.deepEqual((await world.effects()).slice(-1), ["cleaned"]);
});

Deno.test("cancelling what a killed process left behind cleans it", async () => {
  await using world = await makeWorld("first");
  await using worker = startWorker(world.folder, "r1");
  await worker.line("at first");
  worker.kill("SIGKILL");
  await worker.status;
  assert.equal(await world.engine.cancel("r1"), "cancelled");
  assert.deepEqual((await world.effects()).slice(-1), ["cleaned"]);
});

Deno.test("Ctrl-C leaves the run to the person", async () => {
  await using world = await makeWorld("first");
  await using worker = startWorker(world.folder, "r1");
  await worker.line("at first");
  worker.kill("SIGINT");
  assert.match(await worker.line("error"), /^error interrupted/);
  assert.equal((await worker.status).code, 0);
  assert.notEqual((await world.engine.find("r1")).needsPerson, null);
  assert.equal(await world.engine.execute("r1"), 2);
});

interface World extends AsyncDisposable {
  readonly folder: string;
  /** The file of effects. */
  readonly file: string;
  readonly engine: Engine;
  effects(): Promise<string[]>;
  /** Waits until there is such an effect. */
  until(effect: string): Promise<void>;
}

/** A state folder with a run `r1` of the `walk` that holds in a step. */
async function makeWorld(hold: Input["hold"]): Promise<World> {
  const folder = await scratch();
  const file = `${folder.path}/effects`;
  const engine = await openEngine({ folder: `${folder.path}/state`, workflows: [walk] });
  await engine.create(walk, { effects: file, hold }, { id: "r1", label: "t", locks: [LOCK] });
  const effects = async () => (await Deno.readTextFile(file)).trim().split("\n");
  return {
    folder: `${folder.path}/state`,
    file,
    engine,
    effects,
    async until(effect) {
      while (!(await effects()).includes(effect)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
