/** Runs the `sqlite3` program for the live adapter of the tests. */
import { CairnError } from "../../errors.ts";

/** A running `sqlite3`. */
export interface Sqlite3 {
  readonly stdin: WritableStream<Uint8Array<ArrayBuffer>>;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How it ended: status, and what it said on standard error. Never rejects. */
  readonly ended: Promise<{ readonly status: Deno.CommandStatus; readonly complaint: string }>;
  /** Resolves when it ended with status 0 and without a complaint, rejects with `tool_failed` otherwise. */
  success(): Promise<void>;
  /** Kills it, should it still run, and waits for its end. */
  end(): Promise<void>;
}

/** Starts `sqlite3 -bail …`; `script` replaces the program by a shell script that gets the arguments. */
export function startSqlite3(args: readonly string[], signal: AbortSignal, script?: string): Sqlite3 {
  const all = ["-batch", "-bail", "-cmd", ".timeout 5000", ...args];
  const child = script === undefined
    ? new Deno.Command("sqlite3", { args: all, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn()
    : new Deno.Command("sh", {
      args: ["-c", script, "sqlite3", ...all],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  signal.addEventListener("abort", kill, { once: true });
  const ended = Promise.all([child.status, new Response(child.stderr).text()]).then(([status, complaint]) => {
    signal.removeEventListener("abort", kill);
    return { status, complaint: complaint.trim() };
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    async success() {
      const { status, complaint } = await ended;
      signal.throwIfAborted();
      if (status.success && !/error/i.test(complaint)) return;
      const how = status.signal === null ? `status ${status.code}` : status.signal;
      throw new CairnError("tool_failed", `sqlite3 ended with ${how}: ${complaint.slice(0, 200)}`);
    },
    async end() {
      kill();
      await ended;
    },
  };
}

/** Runs one statement or script and returns what it printed, without the last line break. */
export async function runSqlite3(path: string, sql: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const child = startSqlite3([path, sql], signal);
  await child.stdin.close();
  const [text] = await Promise.all([new Response(child.stdout).text(), child.success()]);
  return text.trimEnd();
}
