/** `cairn list` in a store with many artifacts. */
import { DatabaseSync } from "node:sqlite";
import { median, milliseconds } from "./measure.ts";
import { output, type Place } from "./place.ts";
import { against, printTable } from "./report.ts";

const ARTIFACTS = 10_000;
const GOAL_MILLISECONDS = 150;
const FIRST = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

/** Measures and prints: with an empty catalog, and with one that knows the store already. */
export async function measureList(place: Place, rounds: number): Promise<void> {
  const folder = await place.fresh("list");
  const env = { CAIRN_HOME: `${folder}/home`, CAIRN_CONFIG: "" };
  await fillStore(place, folder, env);
  // A folder that was changed within two seconds is not trusted (`steps/refresh_catalog.ts`), which is not the usual case.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const list = { words: [place.cairn, "list", "--from", `${folder}/store`], env };
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const suffix of ["", "-wal", "-shm"]) {
      await Deno.remove(`${folder}/home/catalog.db${suffix}`).catch(() => {});
    }
    cold.push(await milliseconds(list));
    for (let again = 0; again < 3; again++) warm.push(await milliseconds(list));
  }
  await Deno.remove(folder, { recursive: true });
  const millis = (value: number) => `${value.toFixed(0)} ms`;
  printTable(`List of ${ARTIFACTS} artifacts`, ["", "median", "goal"], [
    ["again", millis(median(warm)), against(GOAL_MILLISECONDS, median(warm), millis)],
    ["with an empty catalog", millis(median(cold)), ""],
  ]);
}

/** One real artifact, and copies of it under other ids. */
async function fillStore(place: Place, folder: string, env: Record<string, string>): Promise<void> {
  const source = `${folder}/app.db`;
  const database = new DatabaseSync(source);
  database.exec("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('small')");
  database.close();
  await milliseconds({
    words: [place.cairn, "backup", source, "--to", `${folder}/store`, "--label", "app"],
    env,
  });
  const label = `${folder}/store/app`;
  const manifestName = (await output(["ls", label])).match(/\S+\.manifest\.json/)?.[0];
  if (manifestName === undefined) throw new Error("the backup left no manifest");
  const id = manifestName.slice(0, manifestName.indexOf("."));
  const manifest = await Deno.readTextFile(`${label}/${manifestName}`);
  for (let number = 0; number < ARTIFACTS - 1; number++) {
    const copy = idAt(FIRST + number * HOUR, id.slice(-6));
    const parts = `${label}/${copy}.full.sqlite`;
    await Deno.mkdir(parts);
    for (const name of ["000001.zst", "SHA256SUMS"]) {
      await Deno.copyFile(`${label}/${id}.full.sqlite/${name}`, `${parts}/${name}`);
    }
    await Deno.writeTextFile(`${label}/${copy}.manifest.json`, manifest.replaceAll(id, copy));
  }
}

/** `20261123T050311482Z-7f3k2q` */
function idAt(milliseconds: number, random: string): string {
  return `${new Date(milliseconds).toISOString().replaceAll(/[-:.]/g, "")}-${random}`;
}
