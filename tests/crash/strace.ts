/** Runs a command under strace: to see its system calls in their order, or to kill it at one of them. */
import type { Command } from "./processes.ts";

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
    /** How much of a string is logged. */
    readonly stringBytes?: number;
  },
): Command {
  const { calls, log, kill, stringBytes = 0 } = options;
  const inject = kill === undefined ? [] : [`--inject=${kill.call}:signal=KILL:when=${kill.nth}`];
  // A filter in the kernel makes it fast, but then nothing is injected (strace 6.1).
  const own = [
    "-f",
    ...(kill === undefined ? ["--seccomp-bpf"] : []),
    "-qq",
    "-y",
    "-s",
    String(stringBytes),
    "-o",
    log,
  ];
  // A name that this machine's kernel does not have is no error with a question mark.
  const trace = ["-e", `trace=${calls.map((call) => `?${call}`).join(",")}`];
  return {
    program: "strace",
    args: [...own, ...trace, ...inject, program, ...args],
    ...(env === undefined ? {} : { env }),
  };
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
