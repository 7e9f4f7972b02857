/** Starts processes that work on runs, and reads what they say. */

/** A worker, from its start to its end: it is killed when the block ends. */
export interface Worker extends AsyncDisposable {
  readonly pid: number;
  /** Reads on to the line that begins with one of these, and returns it. Throws when the worker ends before. */
  line(...beginnings: string[]): Promise<string>;
  kill(signal: Deno.Signal): void;
  /** How it ended. */
  readonly status: Promise<Deno.CommandStatus>;
}

const SCRIPT = new URL("./fixtures/worker.ts", import.meta.url).pathname;

/** Starts `fixtures/worker.ts`. */
export function startWorker(
  folder: string,
  run: string,
  action: "execute" | "take-over" | "cancel" = "execute",
  env: Record<string, string> = {},
): Worker {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", SCRIPT, folder, run, action],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env,
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const nextLine = async (): Promise<string | null> => {
    for (;;) {
      const end = text.indexOf("\n");
      if (end >= 0) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        return line;
      }
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
  };
  return {
    pid: child.pid,
    status: child.status,
    kill: (signal) => child.kill(signal),
    async line(...beginnings) {
      const seen: string[] = [];
      for (;;) {
        const line = await nextLine();
        if (line === null) {
          throw new Error(`the worker ended before "${beginnings.join(" or ")}", after: ${seen.join(", ")}`);
        }
        if (beginnings.some((beginning) => line.startsWith(beginning))) return line;
        seen.push(line);
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await reader.cancel();
      await child.status;
    },
  };
}
