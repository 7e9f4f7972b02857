/** Runs commands and takes their figures from the operating system (`wait4`, by way of GNU time). */

/** What a command cost, with all its children. */
export interface Cost {
  readonly seconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  /** The peak of the largest process, in bytes. */
  readonly peakBytes: number;
}

/** A command line and what it runs in. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A bash command line that fails when any part of its pipes does. */
export function shell(text: string, env: Readonly<Record<string, string>> = {}): CommandLine {
  return { words: ["bash", "-c", `set -euo pipefail; ${text}`], env };
}

/** Runs a command to its end under GNU time. Throws with what it said when it fails. */
export async function cost(command: CommandLine): Promise<Cost> {
  const report = await Deno.makeTempFile();
  const words = ["-q", "-f", "%e %U %S %M", "-o", report, ...command.words];
  const begun = performance.now();
  const { success, stderr } = await new Deno.Command("/usr/bin/time", {
    args: words,
    env: { ...command.env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const seconds = (performance.now() - begun) / 1000;
  const [, user = NaN, system = NaN, kilobytes = NaN] = (await Deno.readTextFile(report)).split(" ").map(
    Number,
  );
  await Deno.remove(report);
  if (!success) throw new Error(`${command.words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return { seconds, cpuSeconds: user + system, peakBytes: kilobytes * 1024 };
}

/** Runs a command and tells only how long it took, in milliseconds. */
export async function milliseconds(command: CommandLine, expected = "success"): Promise<number> {
  const [program = "", ...args] = command.words;
  const begun = performance.now();
  const status = await new Deno.Command(program, {
    args,
    env: { ...command.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  const taken = performance.now() - begun;
  const ended = status.success ? "success" : status.signal ?? `status ${status.code}`;
  if (ended !== expected) throw new Error(`${command.words.join(" ")} ended with ${ended}, not ${expected}`);
  return taken;
}

/** One side of a comparison. */
export interface Side<T> {
  readonly name: string;
  measure(): Promise<T>;
}

/** Measures all sides in turns (A B C A B C …), so that all of them meet the same machine. */
export async function inTurns<T>(rounds: number, sides: readonly Side<T>[]): Promise<T[][]> {
  const measured: T[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await new Deno.Command("sync").output(); // what the one before left to write is not this one's cost
      measured[index]?.push(await side.measure());
    }
  }
  return measured;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return (low + high) / 2;
}

/** The median of the ratios of what was measured in the same round. */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.map((value, index) => value / (to[index] ?? NaN)));
}
