/** Where the benchmark works, and the programs and the key that it works with. */
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname ?? ".", "..");

/** What all measurements share. */
export interface Place {
  /** A scratch folder on the disk of the repository. */
  readonly folder: string;
  /** The compiled program. */
  readonly cairn: string;
  /** A compiled program that does nothing. */
  readonly empty: string;
  /** An age identity file. */
  readonly identity: string;
  /** Its public key. */
  readonly recipient: string;
  /** Makes a fresh folder and returns its path. */
  fresh(name: string): Promise<string>;
}

/**
 * Prepares `dist/bench`; compiles what is not there. Measures `program`, by default `dist/cairn`. The databases made in it are
 * kept for the next time.
 */
export async function openPlace(program: string | undefined): Promise<Place> {
  const folder = `${ROOT}/dist/bench`;
  await Deno.mkdir(folder, { recursive: true });
  const cairn = resolve(program ?? `${ROOT}/dist/cairn`);
  if (!await isThere(cairn)) await output(["deno", "task", "compile"]);
  const empty = `${folder}/empty`;
  if (!await isThere(empty)) {
    await Deno.writeTextFile(`${folder}/empty.ts`, "");
    await output([
      "deno",
      "compile",
      "--quiet",
      "-A",
      "--no-config",
      "--output",
      empty,
      `${folder}/empty.ts`,
    ]);
  }
  const identity = `${folder}/key.txt`;
  if (!await isThere(identity)) await output(["age-keygen", "-o", identity]);
  const recipient = (await output(["age-keygen", "-y", identity])).trim();
  const fresh = async (name: string) => {
    const path = `${folder}/${name}`;
    await Deno.remove(path, { recursive: true }).catch(() => {});
    await Deno.mkdir(path);
    return path;
  };
  return { folder, cairn, empty, identity, recipient, fresh };
}

/** True when something stands at a path. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** True when a program is installed. */
export async function isInstalled(program: string): Promise<boolean> {
  return await output(["sh", "-c", `command -v ${program}`]).then(() => true, () => false);
}

/** Runs a program in the root of the repository and returns what it printed. Throws what it complained. */
export async function output([program = "", ...args]: readonly string[]): Promise<string> {
  const command = program === "deno" ? Deno.execPath() : program;
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd: ROOT }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The machine and the programs, in one paragraph. */
export async function machine(): Promise<string> {
  const cpu = (await Deno.readTextFile("/proc/cpuinfo")).match(/model name\s*: (.*)/)?.[1] ?? "unknown";
  const version = async (...command: string[]) =>
    (await output(command).catch(() => "–")).trim().split("\n")[0];
  const tools = await Promise.all([
    version("sqlite3", "--version").then((text) => `sqlite3 ${text?.split(" ")[0]}`),
    version("zstd", "--version").then((text) => `zstd ${text?.match(/v([\d.]+)/)?.[1]}`),
    version("age", "--version").then((text) => `age ${text}`),
    version("restic", "version").then((text) => text?.split(" ").slice(0, 2).join(" ")),
  ]);
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} × ${cpu}, ${memory} GiB, Linux ${Deno.osRelease()}; ` +
    `Deno ${Deno.version.deno}, ${tools.join(", ")}; load ${Deno.loadavg()[0]?.toFixed(1)} at the start`;
}
