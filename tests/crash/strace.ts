/** Runs a command under strace: to see its system calls in their order, or to kill it at one of them. */
import { join } from "node:path";
import { type Command, type Ended, start } from "./processes.ts";

/** Calls that change what is on the disk; the runtime uses some of them. */
export const DURABLE_CALLS: readonly string[] = [
  ...["fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "ftruncate", "write", "pwrite64"],
];

/** How long each call is held back, so that a kill arrives before the call that follows the one it was meant for. */
const HOLD_MICROSECONDS = 5_000;

/** One system call as it was logged. */
export interface Call {
  /** The thread that made it. */
  readonly thread: string;
  readonly name: string;
  /** Its arguments and result as text; descriptors with their paths. */
  readonly text: string;
  /** Its place in the log: where it began and where it returned. */
  readonly begun: number;
  readonly returned: number;
}

/** The command under strace, which logs `calls` to `log`; with `kill` the process is killed as it begins the n-th such call. */
export function traced(
  { program, args, env }: Command,
  options: {
    readonly calls: readonly string[];
    readonly log: string;
    readonly kill?: { readonly call: string; readonly nth: number };
    /** Every call begins only after this time. */
    readonly holdMicroseconds?: number;
    /** How much of a string is logged. */
    readonly stringBytes?: number;
  },
): Command {
  const { calls, log, kill, holdMicroseconds, stringBytes = 0 } = options;
  // A name that this machine's kernel does not have is no error with a question mark.
  const known = calls.map((call) => `?${call}`).join(",");
  const inject = [
    ...(kill === undefined ? [] : [`--inject=${kill.call}:signal=KILL:when=${kill.nth}`]),
    ...(holdMicroseconds === undefined ? [] : [`--inject=${known}:delay_enter=${holdMicroseconds}`]),
  ];
  // A filter in the kernel makes it fast, but then nothing is injected (strace 6.1).
  const own = [
    "-f",
    ...(inject.length === 0 ? ["--seccomp-bpf"] : []),
    "-qq",
    "-y",
    "-s",
    String(stringBytes),
    "-o",
    log,
  ];
  const trace = ["-e", `trace=${known}`];
  return {
    program: "strace",
    args: [...own, ...trace, ...inject, program, ...withoutCache(args)],
    ...(env === undefined ? {} : { env }),
  };
}

/** The runtime writes its cache of compiled code with thousands of calls, which are none of ours. */
function withoutCache([first = "", ...rest]: readonly string[]): string[] {
  return first === "run" ? [first, "--no-code-cache", ...rest] : [first, ...rest];
}

/** Reads a log, in the order in which the calls returned. Calls that never returned are left out. */
export async function readCalls(log: string): Promise<Call[]> {
  const calls: Call[] = [];
  const open = new Map<string, { readonly name: string; readonly text: string; readonly begun: number }>();
  const lines = (await Deno.readTextFile(log)).split("\n");
  for (const [index, line] of lines.entries()) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    const begun = /^(\w+)\((.*)$/.exec(rest);
    if (resumed !== null) {
      const first = open.get(thread);
      open.delete(thread);
      if (first === undefined || first.name !== resumed[1]) continue;
      calls.push({ thread, ...first, text: first.text + (resumed[2] ?? ""), returned: index });
    } else if (begun !== null) {
      const [, name = "", text = ""] = begun;
      const unfinished = text.endsWith(" <unfinished ...>");
      if (unfinished) {
        open.set(thread, { name, text: text.slice(0, -" <unfinished ...>".length), begun: index });
      } else calls.push({ thread, name, text, begun: index, returned: index });
    }
  }
  return calls;
}

/** True when a log shows that somebody was killed. */
export async function wasKilled(log: string): Promise<boolean> {
  return (await Deno.readTextFile(log)).includes("+++ killed by SIGKILL");
}

/** What {@linkcode runUntilCall} saw. */
export interface Cut {
  readonly ended: Ended;
  /** The call with which somebody was killed; undefined when the command ended before. */
  readonly killedAt: string | undefined;
  /** How many calls were begun. */
  readonly calls: number;
}

/**
 * Runs a command until all its threads together begin their `nth` durable call on files in `folder`, and then kills the process
 * that made it, before it is carried out.
 */
export async function runUntilCall(command: Command, folder: string, nth: number): Promise<Cut> {
  const log = join(folder, "strace.fifo");
  await new Deno.Command("mkfifo", { args: ["-m", "0600", log] }).output();
  const options = { calls: DURABLE_CALLS, log, holdMicroseconds: HOLD_MICROSECONDS };
  await using running = start(traced(command, options), folder);
  const file = await Deno.open(log);
  let rest = "";
  let isCounted = false;
  let calls = 0;
  let killedAt: string | undefined;
  const look = (line: string) => {
    const thread = /^(\d+) +\w+\(/.exec(line)?.[1];
    if (isCounted || thread === undefined || !line.includes(folder)) return;
    isCounted = true;
    if (++calls !== nth) return;
    killedAt = line;
    // The id of a thread stands for its process.
    Deno.kill(Number(thread), "SIGKILL");
  };
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      look(line);
      isCounted = false;
    }
    // The beginning of a line is written when the call begins, the rest when it returns.
    look(rest);
  }
  await Deno.remove(log);
  return { ended: await running.ended, killedAt, calls };
}
