/**
 * Runs one SQLite job in a process of its own.
 *
 * Not in a worker: the work of `node:sqlite` is native and synchronous, `Worker.terminate()` does not reach it, and
 * a backup that waits for a lock would still write into its target after it was given up (measured on Deno 2.7.11).
 * A killed process stops at once, drops its locks, and leaves a journal that the next reader rolls back. Besides,
 * POSIX file locks belong to the process: nothing that the main process opens and closes can drop them.
 */
import { fileURLToPath } from "node:url";
import { CairnError } from "../../errors.ts";
import type { CallName, Calls, Failure, Reply, Waits } from "./messages.ts";
import { locked } from "./sqlite_errors.ts";

/** The first argument that makes a compiled Cairn serve one SQLite job instead of a command line. */
export const CHILD_ARGUMENT = "__sqlite";

const MAX_STDERR_CHARACTERS = 2_000;
const PASSED_ENVIRONMENT = ["HOME", "XDG_CACHE_HOME", "DENO_DIR", "DENO_COVERAGE_DIR", "TMPDIR"];

/** How a call is made. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Where SQLite keeps its temporary files. */
  readonly temporaryFolder?: string;
  progress?(done: number, total: number): void;
}

/**
 * Makes a call and returns its answer. When the signal is aborted the child is killed, waited for, and the reason of
 * the signal is thrown.
 */
export async function callChild<K extends CallName>(
  call: K,
  input: Calls[K]["input"],
  options: CallOptions,
): Promise<Calls[K]["output"]> {
  options.signal.throwIfAborted();
  const [program, ...args] = await childCommand();
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: childEnvironment(options.temporaryFolder),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => endChild(child);
  options.signal.addEventListener("abort", kill, { once: true });
  const watch = watchWaits(kill);
  try {
    const complaints = lastText(child.stderr);
    const [reply, status] = await Promise.all([
      readReply<K>(child.stdout, watch.heard, options.progress),
      child.status,
      writeRequest(child.stdin, { call, input, parent: Deno.pid }),
    ]);
    options.signal.throwIfAborted();
    if (reply === undefined) {
      const path = watch.expired();
      if (path !== undefined) throw locked(path);
      throw new CairnError("tool_failed", `the SQLite process ended early (${ending(status)})`, {
        hint: "run it again; if it happens again, look into the log",
        cause: new Error(await complaints),
      });
    }
    await complaints;
    if (reply.kind === "failed") throw fromFailure(reply.error);
    return reply.value;
  } finally {
    options.signal.removeEventListener("abort", kill);
    watch.end();
    kill();
    await child.status;
  }
}

/** util-linux; it has the kernel kill the child when this process dies, also while it waits for a lock. */
const SETPRIV = "/usr/bin/setpriv";

async function childCommand(): Promise<[string, ...string[]]> {
  const command: [string, ...string[]] = [Deno.execPath(), ...childArguments()];
  const isThere = await Deno.stat(SETPRIV).then((stat) => stat.isFile, () => false);
  return isThere ? [SETPRIV, "--pdeathsig", "KILL", "--", ...command] : command;
}

function childArguments(): string[] {
  if (Deno.build.standalone) return [CHILD_ARGUMENT];
  const script = fileURLToPath(new URL("./child.ts", import.meta.url));
  return [
    "run",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-prompt",
    // Less than all permissions makes node:sqlite forbid ATTACH, and VACUUM with it.
    "--allow-all",
    script,
  ];
}

function childEnvironment(temporaryFolder: string | undefined): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of PASSED_ENVIRONMENT) {
    const value = Deno.env.get(name);
    if (value !== undefined) environment[name] = value;
  }
  if (temporaryFolder !== undefined) environment.SQLITE_TMPDIR = temporaryFolder;
  return environment;
}

function endChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function writeRequest(stdin: WritableStream<Uint8Array>, request: unknown): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    await writer.close();
  } catch {
    // A child that died before it read: its missing reply tells.
  }
}

/** A reply that ends a call. */
type Answer<K extends CallName> = Extract<Reply<K>, { kind: "result" | "failed" }>;

async function readReply<K extends CallName>(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  heard: (reply: Reply<K>) => void,
  progress: CallOptions["progress"],
): Promise<Answer<K> | undefined> {
  let rest = "";
  let answer: Answer<K> | undefined;
  for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const reply: Reply<K> = JSON.parse(line);
      heard(reply);
      if (reply.kind === "progress") progress?.(reply.done, reply.total);
      else if (reply.kind !== "limit") answer = reply;
    }
  }
  return answer;
}

/** Kills a child that says nothing for longer than it may wait for a lock. */
function watchWaits(kill: () => void) {
  let waits: Waits | null = null;
  let expired: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    heard(reply: Reply<CallName>) {
      if (reply.kind === "limit") waits = reply.waits;
      clearTimeout(timer);
      if (waits === null) return;
      const { path, lockLimitMilliseconds } = waits;
      timer = setTimeout(() => {
        expired = path;
        kill();
      }, lockLimitMilliseconds);
    },
    /** The path whose lock took too long, if that is why the child was killed. */
    expired: () => expired,
    end: () => clearTimeout(timer),
  };
}

async function lastText(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const more of stderr.pipeThrough(new TextDecoderStream())) {
    text = (text + more).slice(-MAX_STDERR_CHARACTERS);
  }
  return text.trim();
}

function ending(status: Deno.CommandStatus): string {
  return status.signal === null ? `status ${status.code}` : status.signal;
}

function fromFailure(failure: Failure): CairnError {
  return new CairnError(failure.code, failure.message, { hint: failure.hint ?? undefined });
}
