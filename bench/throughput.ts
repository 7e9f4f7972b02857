/** A full backup and its restore, by Cairn and by what a person would use instead. */
import { cairnWay, pipeWay, resticWay, type Way } from "./commands.ts";
import { type Cost, cost, inTurns, median, ratio } from "./measure.ts";
import { isInstalled, output, type Place } from "./place.ts";
import { against, megabytes, printTable, type Row, seconds, times } from "./report.ts";

interface Goals {
  readonly wall: number;
  readonly cpu: number;
}

const BACKUP: Goals = { wall: 1.0, cpu: 1.4 };
const RESTORE: Goals = { wall: 1.1, cpu: Infinity };

/** Measures and prints both tables. */
export async function measureThroughput(place: Place, source: string, rounds: number): Promise<void> {
  const ways = [cairnWay(place), pipeWay(place)];
  if (await isInstalled("restic")) ways.push(resticWay());
  const { size } = await Deno.stat(source);
  const folderOf = (way: Way) => `${place.folder}/way-${ways.indexOf(way)}`;

  const backups = await inTurns(
    rounds,
    ways.map((way) => ({
      name: way.name,
      async measure() {
        const folder = await place.fresh(`way-${ways.indexOf(way)}`);
        await way.prepare(folder);
        return await cost(way.backup(source, folder));
      },
    })),
  );
  printCosts(`Full backup of ${megabytes(size)}`, ways, backups, BACKUP, await Promise.all(ways.map(stored)));

  const restores = await inTurns(
    rounds,
    ways.map((way) => ({
      name: way.name,
      async measure() {
        await Deno.remove(`${folderOf(way)}/restored.db`).catch(() => {});
        const restored = await cost(way.restore(folderOf(way)));
        await requireEqual(source, `${folderOf(way)}/restored.db`);
        return restored;
      },
    })),
  );
  printCosts(`Restore of ${megabytes(size)}`, ways, restores, RESTORE);
  for (const way of ways) await Deno.remove(folderOf(way), { recursive: true });

  /** What a backup takes on the disk: all that is left in its folder. */
  async function stored(way: Way): Promise<string> {
    return megabytes(await sizeOf(folderOf(way)));
  }
}

function printCosts(
  heading: string,
  ways: readonly Way[],
  costs: readonly Cost[][],
  goals: Goals,
  stored?: readonly string[],
): void {
  const wall = costs.map((each) => each.map((one) => one.seconds));
  const cpu = costs.map((each) => each.map((one) => one.cpuSeconds));
  const [ours = [], oursCpu = []] = [wall[0], cpu[0]];
  const rows = ways.map((way, at): Row => [
    way.name,
    seconds(median(wall[at] ?? [])),
    at === 0 ? "" : share(ours, wall[at] ?? [], at === 1 ? goals.wall : Infinity),
    seconds(median(cpu[at] ?? [])),
    at === 0 ? "" : share(oursCpu, cpu[at] ?? [], at === 1 ? goals.cpu : Infinity),
    megabytes(median((costs[at] ?? []).map((one) => one.peakBytes))),
    ...stored === undefined ? [] : [stored[at] ?? ""],
  ]);
  const titles = ["", "wall", "cairn takes", "CPU", "cairn takes", "largest process"];
  printTable(heading, stored === undefined ? titles : [...titles, "stored"], rows);
}

function share(ours: readonly number[], theirs: readonly number[], goal: number): string {
  const value = ratio(ours, theirs);
  return Number.isFinite(goal) ? against(goal, value, times) : times(value);
}

/** What is fast because it is wrong shall not be measured. (The backup API writes another change counter into the header.) */
async function requireEqual(source: string, restored: string): Promise<void> {
  const sum = (path: string) => output(["sh", "-c", `tail -c +4097 '${path}' | sha256sum`]);
  if (await sum(source) !== await sum(restored)) throw new Error(`${restored} is not what was backed up`);
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    bytes += entry.isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}
