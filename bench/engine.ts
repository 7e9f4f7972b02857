/** What a journaled step costs beside what it must write, and how soon a resumed run does its next step. */
import { DatabaseSync } from "node:sqlite";
import { openEngine } from "../engine/engine.ts";
import type { Workflow } from "../engine/workflow.ts";
import { cairnWay } from "./commands.ts";
import { inTurns, median, milliseconds, ratio } from "./measure.ts";
import type { Place } from "./place.ts";
import { against, printTable, times } from "./report.ts";

const STEPS = 200;
const STEP_GOAL = 2.5;
const RESTART_GOAL_MILLISECONDS = 200;
/** A point in the middle of a backup, in the words of `engine/crash_point.ts`: here a run is killed, and met again. */
const NEXT_STEP = "before step-started seal/1/3";

/** Measures and prints: milliseconds a step, and from process start to the next step. */
export async function measureEngine(place: Place, source: string, rounds: number): Promise<void> {
  const folder = await place.fresh("engine");
  const [steps = [], commits = []] = await measureSteps(folder, rounds);
  const restarts = await measureRestart(place, source, rounds);
  await Deno.remove(folder, { recursive: true });
  const millis = (value: number) => `${value.toFixed(value < 10 ? 3 : 0)} ms`;
  const each = ratio(steps, commits);
  printTable("Engine", ["", "median", "goal"], [
    ["a step", millis(median(steps)), against(STEP_GOAL, each, times)],
    ["two bare commits at synchronous=FULL", millis(median(commits)), ""],
    [
      "from process start to the next step",
      millis(median(restarts)),
      against(RESTART_GOAL_MILLISECONDS, median(restarts), millis),
    ],
  ]);
}

/** Milliseconds for one step, and for two commits, in each round. */
async function measureSteps(folder: string, rounds: number): Promise<number[][]> {
  const workflow: Workflow<null, number> = {
    name: "steps",
    version: 1,
    async run(context) {
      for (let step = 0; step < STEPS; step++) {
        await context.step(`part/${step}`, () => Promise.resolve({ step }));
      }
      return STEPS;
    },
    clean: () => Promise.resolve(),
  };
  await using engine = await openEngine({ folder: `${folder}/home`, workflows: [workflow] });
  const bare = new DatabaseSync(`${folder}/bare.db`);
  bare.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE step (name TEXT PRIMARY KEY, result TEXT)",
  );
  const insert = bare.prepare("INSERT OR REPLACE INTO step VALUES (?, NULL)");
  const update = bare.prepare("UPDATE step SET result = ? WHERE name = ?");
  let run = 0;
  const measured = await inTurns(rounds * 4, [
    {
      name: "step",
      async measure() {
        const id = `run-${++run}`;
        await engine.create(workflow, null, { id, label: "bench", locks: [] });
        const begun = performance.now();
        await engine.execute(id);
        return (performance.now() - begun) / STEPS;
      },
    },
    {
      name: "two commits",
      measure() {
        const begun = performance.now();
        for (let step = 0; step < STEPS; step++) {
          insert.run(`part/${step}`);
          update.run(JSON.stringify({ step }), `part/${step}`);
        }
        return Promise.resolve((performance.now() - begun) / STEPS);
      },
    },
  ]);
  bare.close();
  return measured;
}

/** Kills a backup in its middle; then each resumed process is killed at the same next step. */
async function measureRestart(place: Place, source: string, rounds: number): Promise<number[]> {
  const folder = await place.fresh("restart");
  const { words, env } = cairnWay(place).backup(source, folder);
  const armed = { ...env, CAIRN_CRASH_AT: NEXT_STEP, CAIRN_PART_BYTES: "1000000" };
  await milliseconds({ words, env: armed }, "SIGKILL");
  const [id] = await unfinishedRuns(place, env ?? {});
  if (id === undefined) throw new Error("the killed run is not listed");
  const taken: number[] = [];
  for (let round = 0; round < rounds * 3; round++) {
    taken.push(await milliseconds({ words: [place.cairn, "resume", id, "--quiet"], env: armed }, "SIGKILL"));
  }
  await Deno.remove(folder, { recursive: true });
  return taken;
}

async function unfinishedRuns({ cairn }: Place, env: Readonly<Record<string, string>>): Promise<string[]> {
  const args = ["runs", "list", "--unfinished", "--json"];
  const { stdout } = await new Deno.Command(cairn, { args, env: { ...env } }).output();
  return [...new TextDecoder().decode(stdout).matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id ?? "");
}
