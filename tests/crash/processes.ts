/** Starts, kills and counts the processes that crash tests are about. */
import { fileURLToPath } from "node:url";
import type { Description } from "./driver.ts";

/** A line of JSON that a process under test printed. */
export interface Line {
  readonly status?: string;
  readonly run?: string;
  readonly resumable?: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string | null };
  readonly output?: unknown;
  readonly calls?: readonly string[];
  readonly runs?: readonly { readonly id: string; readonly status: string }[];
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
}

/** A process under test. It is killed, should it still live, when it is disposed of. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Waits until it printed a line with this status; rejects when it ends before. */
  said(status: string): Promise<void>;
  /** Gives it a line of input. */
  answer(): Promise<void>;
  /** Sends it (and nobody else) a signal; false when it has ended. */
  signal(name: Deno.Signal): boolean;
}

/** A program, its arguments and what is added to its environment. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** No process under test takes longer, unless it hangs. */
const LONGEST_MILLISECONDS = 120_000;

const DRIVER = fileURLToPath(new URL("./driver.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** The command that does the work of a description; again, when it was killed. */
export function drive(description: Description, env: Record<string, string> = {}): Command {
  const args = [
    "run",
    "-A",
    "--quiet",
    "--no-check",
    "--config",
    CONFIG,
    DRIVER,
    JSON.stringify(description),
  ];
  return { program: Deno.execPath(), args, env };
}

/** Starts a command with `cwd` as its working folder, by which it and its children are known. */
export function start({ program, args, env = {} }: Command, cwd: string): Running {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { ...env, TMPDIR: cwd },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const lines: Line[] = [];
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const isSaid = (status: string) => lines.some((line) => line.status === status);

  const read = async () => {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const whole = (rest + text).split("\n");
      rest = whole.pop() ?? "";
      for (const line of whole) {
        if (!line.startsWith("{")) continue;
        const parsed: Line = JSON.parse(line);
        lines.push(parsed);
        if (parsed.status !== undefined) waiting.get(parsed.status)?.resolve();
      }
    }
  };
  const signal = (name: Deno.Signal) => {
    try {
      child.kill(name);
      return true;
    } catch (error) {
      // It has ended, and was waited for.
      if (error instanceof Deno.errors.NotFound || error instanceof TypeError) return false;
      throw error;
    }
  };
  let hung = false;
  const deadline = setTimeout(() => {
    hung = signal("SIGKILL");
  }, LONGEST_MILLISECONDS);
  const ended = Promise.all([child.status, read(), new Response(child.stderr).text()]).then(
    async ([status, _, complaint]) => {
      const stderr = hung ? `it hung, and was killed by the test: ${complaint}` : complaint;
      clearTimeout(deadline);
      await input.close().catch(() => {});
      for (const [said, { reject }] of waiting) {
        reject(new Error(`it ended before it was ${said}: ${stderr}`));
      }
      return { code: status.code, signal: status.signal, lines, stderr };
    },
  );
  return {
    pid: child.pid,
    ended,
    async said(status) {
      if (isSaid(status)) return;
      const waiter = Promise.withResolvers<void>();
      waiting.set(status, waiter);
      await waiter.promise;
    },
    async answer() {
      await input.write(new TextEncoder().encode("go\n"));
    },
    signal,
    async [Symbol.asyncDispose]() {
      signal("SIGKILL");
      await ended;
    },
  };
}

/** Runs a command to its end. */
export async function run(command: Command, cwd: string): Promise<Ended> {
  return await start(command, cwd).ended;
}

/** Runs a command that must end well, and returns its last line. */
export async function runWell(command: Command, cwd: string): Promise<Line> {
  const ended = await run(command, cwd);
  const last = ended.lines.at(-1);
  if (ended.code === 0 && last !== undefined) return last;
  throw new Error(`ended with ${describe(ended)}`);
}

/** How a process ended, for a message. */
export function describe({ code, signal, lines, stderr }: Ended): string {
  return `${signal ?? `status ${code}`} ${JSON.stringify(lines.at(-1) ?? null)} ${stderr.slice(-2000)}`;
}

/** The live processes that work in a folder, as `pid command`. */
export async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const cwd = await Deno.readLink(`/proc/${name}/cwd`);
      if (cwd !== folder && !cwd.startsWith(`${folder}/`)) continue;
      found.push(`${name} ${(await Deno.readTextFile(`/proc/${name}/cmdline`)).replaceAll("\0", " ")}`);
    } catch {
      // It ended meanwhile, or is a kernel thread.
    }
  }
  return found;
}

/** Waits until nobody works in a folder any more; throws when that takes longer than it may. */
export async function waitForSilence(folder: string, milliseconds = 15_000): Promise<void> {
  await until(async () => (await processesIn(folder)).length === 0, milliseconds, async () => {
    return `processes are left: ${(await processesIn(folder)).join("; ")}`;
  });
}

/** Asks again and again until something holds. */
export async function until(
  holds: () => Promise<boolean>,
  milliseconds: number,
  otherwise: () => Promise<string> | string,
): Promise<void> {
  for (const deadline = performance.now() + milliseconds; !await holds();) {
    if (performance.now() > deadline) throw new Error(await otherwise());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
