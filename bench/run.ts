/**
 * The benchmark: `deno task bench`. Everything is measured in one run and compared within it, since figures of two
 * runs differ by what else the machine did.
 *
 * `--megabytes N` (1000) the size of the database; `--rounds N` (5); `--only throughput,memory,engine,start,list`;
 * `--program FILE` (dist/cairn) the compiled program.
 */
import { parseArgs } from "node:util";
import { makeDatabase } from "./data.ts";
import { measureEngine } from "./engine.ts";
import { measureList } from "./list.ts";
import { measureMemory } from "./memory.ts";
import { machine, openPlace } from "./place.ts";
import { print } from "./report.ts";
import { measureStart } from "./start.ts";
import { measureThroughput } from "./throughput.ts";

const SMALL_MEGABYTES = 100;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
    program: { type: "string" },
    only: { type: "string", default: "throughput,memory,engine,start,list" },
  },
});
const rounds = Number(values.rounds);
const wanted = values.only.split(",");

print(await machine());
const place = await openPlace(values.program);
const source = await makeDatabase(place.folder, Number(values.megabytes));
const small = await makeDatabase(place.folder, SMALL_MEGABYTES);
if (wanted.includes("throughput")) await measureThroughput(place, source, rounds);
if (wanted.includes("memory")) await measureMemory(place, [small, source]);
if (wanted.includes("engine")) await measureEngine(place, small, rounds);
if (wanted.includes("start")) await measureStart(place, rounds);
if (wanted.includes("list")) await measureList(place, rounds);
