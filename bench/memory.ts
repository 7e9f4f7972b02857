/** Memory and CPU time of Cairn's processes at two sizes: of the main one, and of the child that does SQLite's work. */
import { cairnWay } from "./commands.ts";
import type { CommandLine } from "./measure.ts";
import type { Place } from "./place.ts";
import { against, megabytes, printTable, type Row, seconds } from "./report.ts";

const GOAL_BYTES = 220e6;
const SAMPLE_MILLISECONDS = 10;
/** `/proc/<pid>/stat` counts in these (USER_HZ, the same on all Linux machines). */
const TICKS_IN_SECOND = 100;

interface Usage {
  peakBytes: number;
  cpuSeconds: number;
}

/** Measures and prints the table: one row for each size and direction. */
export async function measureMemory(place: Place, sources: readonly string[]): Promise<void> {
  const rows: Row[] = [];
  for (const source of sources) {
    const size = megabytes((await Deno.stat(source)).size);
    const way = cairnWay(place);
    const folder = await place.fresh("memory");
    for (
      const [what, command] of [["backup", way.backup(source, folder)], [
        "restore",
        way.restore(folder),
      ]] as const
    ) {
      const { main, child } = await watch(command);
      rows.push([
        `${what} of ${size}`,
        against(GOAL_BYTES, main.peakBytes, megabytes),
        seconds(main.cpuSeconds),
        megabytes(child.peakBytes),
        seconds(child.cpuSeconds),
      ]);
    }
    await Deno.remove(folder, { recursive: true });
  }
  const titles = [
    "",
    "peak of the main process",
    "its CPU",
    "peak of the largest child",
    "CPU of the children",
  ];
  printTable("Memory", titles, rows);
}

/** Runs a command and looks at it and its children again and again; peaks only grow, so that the last look tells. */
async function watch(command: CommandLine): Promise<{ main: Usage; child: Usage }> {
  const [program = "", ...args] = command.words;
  const process = new Deno.Command(program, {
    args,
    env: { ...command.env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(process.stderr).text();
  const seen = new Map<number, Usage>();
  const look = () => {
    for (const pid of [process.pid, ...childrenOf(process.pid)]) {
      const usage = usageOf(pid);
      if (usage !== undefined) seen.set(pid, usage);
    }
  };
  const timer = setInterval(look, SAMPLE_MILLISECONDS);
  const { success } = await process.status;
  clearInterval(timer);
  if (!success) throw new Error(`${command.words.join(" ")}: ${await complaints}`);
  await complaints;
  const main = seen.get(process.pid) ?? { peakBytes: NaN, cpuSeconds: NaN };
  seen.delete(process.pid);
  const child = { peakBytes: 0, cpuSeconds: 0 };
  for (const each of seen.values()) {
    child.peakBytes = Math.max(child.peakBytes, each.peakBytes);
    child.cpuSeconds += each.cpuSeconds;
  }
  return { main, child };
}

function childrenOf(pid: number): number[] {
  // A child is listed with the thread that made it.
  return listed(`/proc/${pid}/task`).flatMap((thread) =>
    (text(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter((word) => word !== "").map(Number)
  );
}

/** Undefined when the process has ended. */
function usageOf(pid: number): Usage | undefined {
  const kilobytes = text(`/proc/${pid}/status`)?.match(/VmHWM:\s*(\d+) kB/)?.[1];
  // Behind the name, which may hold anything but ends with the last parenthesis: field 3 on (proc(5)).
  const fields = text(`/proc/${pid}/stat`)?.replace(/^.*\) /s, "").split(" ");
  if (kilobytes === undefined || fields === undefined) return undefined;
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { peakBytes: Number(kilobytes) * 1024, cpuSeconds: ticks / TICKS_IN_SECOND };
}

function text(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function listed(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name);
  } catch {
    return [];
  }
}
