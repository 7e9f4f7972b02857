/**
 * Starts the client programs of database servers.
 *
 * A child gets a minimal environment and, where the system can do that, dies with this process: a loader that outlived it
 * would go on writing. Secrets come by the environment only, which nobody but the same user can read; never by arguments.
 */
import { getLogger } from "@logtape/logtape";
import { delimiter, join } from "node:path";
import { CairnError } from "../errors.ts";

const MAX_COMPLAINT_CHARACTERS = 4_000;
const PASSED_ENVIRONMENT = ["PATH", "HOME", "TMPDIR", "TZ"];

/** What to start. */
export interface ChildRequest {
  /** The absolute path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  /** Beside the minimal environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** True when something is going to be written to it. */
  readonly hasInput?: boolean;
  /** Ends the child. */
  readonly signal: AbortSignal;
}

/** How a child ended. */
export interface Ending {
  readonly success: boolean;
  /** `status 1`, or the name of the signal. */
  readonly how: string;
  /** The last of what it said on standard error. */
  readonly complaint: string;
}

/** A running child. */
export interface Child {
  /** The name of the program, for messages. */
  readonly name: string;
  readonly stdin: WritableStream<Uint8Array<ArrayBuffer>>;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Settles when it has ended and closed its standard error; never rejects. */
  readonly ended: Promise<Ending>;
  /** Kills it, should it still run, and waits for its end. */
  end(): Promise<void>;
}

/** Starts a child. Throws the reason of the signal when that is aborted, `tool_failed` when the program cannot be run. */
export async function startChild(request: ChildRequest): Promise<Child> {
  request.signal.throwIfAborted();
  const [program = "", ...first] = [...await dyingWithUs(), request.program];
  request.signal.throwIfAborted();
  const name = request.program.slice(request.program.lastIndexOf("/") + 1);
  const child = spawn(program, [...first, ...request.args], request);
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  request.signal.addEventListener("abort", kill, { once: true });
  const ended = Promise.all([child.status, complaintOf(name, child.stderr)]).then(([status, complaint]) => {
    request.signal.removeEventListener("abort", kill);
    const how = status.signal === null ? `status ${status.code}` : status.signal;
    return { success: status.success, how, complaint };
  });
  return {
    name,
    get stdin() {
      return child.stdin;
    },
    stdout: child.stdout,
    ended,
    async end() {
      kill();
      await ended;
    },
  };
}

/** Runs a child to its end; returns what it printed. `input` is fed to it. */
export async function runChild(
  request: ChildRequest,
  input?: string,
): Promise<{ readonly text: string; readonly ending: Ending }> {
  const child = await startChild({ ...request, hasInput: input !== undefined });
  const fed = input === undefined ? undefined : feed(child, input);
  const [text, ending] = await Promise.all([new Response(child.stdout).text(), child.ended, fed]);
  request.signal.throwIfAborted();
  return { text, ending };
}

async function feed(child: Child, input: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // A child that died before it had read all: its ending tells why.
  }
}

function spawn(program: string, args: readonly string[], request: ChildRequest): Deno.ChildProcess {
  const env: Record<string, string> = { LC_ALL: "C" };
  for (const name of PASSED_ENVIRONMENT) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  try {
    return new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: { ...env, ...request.environment },
      stdin: request.hasInput ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new CairnError("tool_failed", `${request.program} cannot be run`, {
      cause,
      hint: "check that it is installed and may be executed",
      passing: false,
    });
  }
}

/** All goes to the log, the end of it is kept; a tool may echo megabytes. */
async function complaintOf(name: string, stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const logger = getLogger(["cairn", "tools"]);
  let text = "";
  for await (const more of stderr.pipeThrough(new TextDecoderStream())) {
    logger.info("{message}", { message: `${name}: ${more.slice(0, MAX_COMPLAINT_CHARACTERS).trimEnd()}` });
    text = (text + more).slice(-MAX_COMPLAINT_CHARACTERS);
  }
  return text.trim();
}

let prefix: Promise<readonly string[]> | undefined;

/** The command in front of another that makes it die with its parent (Linux, util-linux 2.33 and later), or nothing. */
function dyingWithUs(): Promise<readonly string[]> {
  return prefix ??= findSetpriv();
}

async function findSetpriv(): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  for (const folder of (Deno.env.get("PATH") ?? "").split(delimiter)) {
    const program = join(folder, "setpriv");
    try {
      const { stdout } = await new Deno.Command(program, { args: ["--help"], stderr: "null" }).output();
      return new TextDecoder().decode(stdout).includes("--pdeathsig")
        ? [program, "--pdeathsig", "KILL", "--"]
        : [];
    } catch {
      // Not in this folder.
    }
  }
  return [];
}
