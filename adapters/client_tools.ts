/** Finds the client programs that are installed, and chooses the ones that fit a server. */
import { delimiter, join } from "node:path";
import { CairnError } from "../errors.ts";

/** Programs of one release in one folder. */
export interface ClientTools {
  readonly folder: string;
  /** For example `15.18`. */
  readonly version: string;
  readonly major: number;
}

/** What to look for. */
export interface ToolSearch {
  /** The programs that must all be there; the first one is asked for its version. */
  readonly programs: readonly [string, ...string[]];
  /** Folders to look into before those of `PATH`; one `*` in a name stands for any folder. */
  readonly folders: readonly string[];
  /** Reads the version out of what `--version` prints; undefined when that is another program. */
  version(printed: string): string | undefined;
}

/** All installed releases, the newest first; of two alike the first one found. */
export async function findTools(search: ToolSearch, signal: AbortSignal): Promise<readonly ClientTools[]> {
  const [asked] = search.programs;
  const found = new Map<string, ClientTools>();
  const path = (Deno.env.get("PATH") ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  const folders = [...(await Promise.all(search.folders.map(expand))).flat(), ...path];
  for (const folder of new Set(folders)) {
    signal.throwIfAborted();
    if (!await hasAll(folder, search.programs)) continue;
    const version = search.version(await printedVersion(join(folder, asked)));
    const major = Number.parseInt(version ?? "", 10);
    if (version === undefined || Number.isNaN(major) || found.has(version)) continue;
    found.set(version, { folder, version, major });
  }
  return [...found.values()].sort((a, b) => compareVersions(b.version, a.version));
}

/** The oldest release that is as new as `major`; undefined when there is none. */
export function chooseTools(found: readonly ClientTools[], major: number): ClientTools | undefined {
  const fitting = found.filter((tools) => tools.major >= major);
  const oldest = Math.min(...fitting.map((tools) => tools.major));
  return fitting.find((tools) => tools.major === oldest);
}

/** The error that no installed release fits. `wanted` is a sentence, `hint` names what to install. */
export function missingTools(wanted: string, found: readonly ClientTools[], hint: string): CairnError {
  const installed = found.map(({ version, folder }) => `${version} in ${folder}`).join(", ");
  return new CairnError("refused", `${wanted}; found: ${installed === "" ? "none" : installed}`, { hint });
}

async function expand(folder: string): Promise<string[]> {
  const [before, after] = folder.split("*");
  if (before === undefined || after === undefined) return [folder];
  try {
    const names = await Array.fromAsync(Deno.readDir(before), (entry) => entry.name);
    return names.map((name) => `${before}${name}${after}`);
  } catch {
    return []; // no such folder
  }
}

/** Debian's `/usr/bin/pg_dump` is a script that chooses a version by rules of its own; its folders are searched anyway. */
async function hasAll(folder: string, programs: readonly string[]): Promise<boolean> {
  for (const program of programs) {
    const real = await Deno.realPath(join(folder, program)).catch(() => undefined);
    if (real === undefined || real.endsWith("/pg_wrapper")) return false;
  }
  return true;
}

const versions = new Map<string, Promise<string>>();

function printedVersion(program: string): Promise<string> {
  const known = versions.get(program) ?? askVersion(program);
  versions.set(program, known);
  return known;
}

async function askVersion(program: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args: ["--version"],
      clearEnv: true,
      stdin: "null",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return ""; // not executable: as good as not there
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
