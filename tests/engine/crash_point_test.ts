import assert from "node:assert/strict";
import { openEngine } from "../../engine/engine.ts";
import { walk } from "./fixtures/workflows.ts";
import { scratch } from "./scratch.ts";
import { startWorker } from "./worker_process.ts";

const create = async (folder: string, effects: string) => {
  await using engine = await openEngine({ folder, workflows: [walk] });
  await engine.create(walk, { effects, hold: null }, { id: "r1", label: "t", locks: ["x"] });
};

/** Points around the writes of one execution, in the order in which they were passed. */
async function trace(folder: string): Promise<string[]> {
  await create(`${folder}/traced`, `${folder}/traced-effects`);
  await using worker = startWorker(`${folder}/traced`, "r1", "execute", {
    CAIRN_CRASH_TRACE: `${folder}/trace`,
  });
  await worker.line("output");
  return (await Deno.readTextFile(`${folder}/trace`)).trim().split("\n");
}

Deno.test("every journal write stands between two points of its name", async () => {
  await using folder = await scratch();
  const points = await trace(folder.path);
  const names = points.filter((point) => point.startsWith("before ")).map((point) => point.slice(7));
  for (const name of names) {
    assert(points.indexOf(`before ${name}`) < points.indexOf(`after ${name}`), name);
  }
  assert.equal(points.length, 2 * names.length);
  assert.deepEqual(names.filter((name) => !name.includes("pair")), [
    "run-claimed",
    "step-started first",
    "step-done first",
    "step-started flaky",
    "step-retry flaky",
    "step-started flaky",
    "step-done flaky",
    "step-started sleep",
    "step-done sleep",
    "run-done",
  ]);
});

Deno.test("a run killed at any point goes on, and no step that was journaled as done runs again", async () => {
  await using folder = await scratch();
  const points = await trace(folder.path);
  const crash = async (point: string): Promise<void> => {
    const state = `${folder.path}/${point.replace(/\W/g, "-")}`;
    const file = `${state}-effects`;
    await create(state, file);
    await using worker = startWorker(state, "r1", "execute", { CAIRN_CRASH_AT: point });
    assert.equal((await worker.status).signal, "SIGKILL", point);

    await using engine = await openEngine({ folder: state, workflows: [walk] });
    const done = (await engine.steps("r1")).filter((step) => step.status === "done");
    const before = (await Deno.readTextFile(file).catch(() => "")).split("\n");
    await engine.execute("r1", { automatic: true });
    const after = (await Deno.readTextFile(file)).split("\n").slice(before.length - 1);
    for (const { name } of done) assert(!after.includes(`${name} begun`), `${name} ran again after ${point}`);
    const all = [...before, ...after];
    for (const name of ["first", "pair/a", "pair/b", "flaky"]) {
      assert(all.includes(name), `${name}, ${point}`);
    }
    const view = await engine.find("r1");
    assert.deepEqual([view.status, view.stages.length], ["done", 4]);
  };
  const distinct = [...new Set(points)];
  // Two at a time.
  const next = async () => {
    for (let point = distinct.shift(); point !== undefined; point = distinct.shift()) await crash(point);
  };
  await Promise.all([next(), next()]);
});

Deno.test("a point can be armed by its number", async () => {
  await using folder = await scratch();
  await create(`${folder.path}/state`, `${folder.path}/effects`);
  await using worker = startWorker(`${folder.path}/state`, "r1", "execute", {
    CAIRN_CRASH_AT: "4",
    CAIRN_CRASH_TRACE: `${folder.path}/trace`,
  });
  assert.equal((await worker.status).signal, "SIGKILL");
  assert.deepEqual((await Deno.readTextFile(`${folder.path}/trace`)).trim().split("\n"), [
    "before run-claimed",
    "after run-claimed",
    "before step-started first",
    "after step-started first",
  ]);
});

Deno.test("points are inert without the permission to read the environment, and never ask for it", async () => {
  const script = `import { crashPoint } from ${
    JSON.stringify(import.meta.resolve("../../engine/crash_point.ts"))
  };
    crashPoint("before anything"); console.log("alive");`;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--quiet", `data:text/typescript,${encodeURIComponent(script)}`],
    stdin: "null",
    stderr: "inherit",
    env: { CAIRN_CRASH_AT: "1" },
  }).output();
  assert(success);
  assert.equal(new TextDecoder().decode(stdout), "alive\n");
});
