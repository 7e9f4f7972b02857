/** What `cairn demo` does: the commands a person would type, run for real in processes of their own. */
import { join } from "node:path";
import { CairnError } from "../errors.ts";
import { makeSample, sampleChecksum } from "../steps/sample.ts";
import { formatBytes } from "./format.ts";
import type { Session } from "./session.ts";

const SAMPLE_ROWS = 150_000;
const PART_BYTES = 500_000;
/** Where the backup is killed: in the journal's words, when some parts are sent and others are not. */
const KILLED_AT = "after step-done upload/1/5";

/** Shows the tour; throws when any of it does not end as promised. */
export async function demo(session: Session, options: { readonly keep?: true }): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "cairn-demo-" });
  try {
    await tour(session, folder);
  } finally {
    if (options.keep) session.output.line(`kept: ${folder}`);
    else await Deno.remove(folder, { recursive: true });
  }
}

async function tour(session: Session, folder: string): Promise<void> {
  const { output, signal } = session;
  const say = (text: string) => output.line(`\n${output.style.bold(text)}`);
  const cairn = (args: readonly string[], env: Record<string, string> = {}) => {
    output.line(output.style.dim(`$ cairn ${args.join(" ")}`));
    return runSelf(folder, args, env, signal, output.isJson ? "null" : "inherit");
  };
  const stages: string[] = [];
  const expect = (what: string, holds: boolean) => {
    if (!holds) throw new CairnError("internal", `the demo did not see ${what}`);
    stages.push(what);
  };

  const source = join(folder, "app.db");
  makeSample(source, SAMPLE_ROWS);
  say(`1. A database of ${formatBytes((await Deno.stat(source)).size)} in ${folder}`);

  say("2. A backup that is killed half-way with SIGKILL");
  const killed = await cairn(["backup", "app.db"], { CAIRN_CRASH_AT: KILLED_AT });
  expect("the backup killed", killed.signal === "SIGKILL");
  output.line("Killed");
  await cairn(["runs"]);

  say("3. It goes on where it stood: what is uploaded is not sent again");
  const run = await interruptedRun(folder, signal);
  expect("the backup resumed", (await cairn(["resume", run])).success);

  say("4. Restored, and compared");
  expect("the artifact verified", (await cairn(["verify", "latest", "--read-data"])).success);
  expect("the restore finished", (await cairn(["restore", "latest", "--into", "restored.db"])).success);
  const [before, after] = [sampleChecksum(source), sampleChecksum(join(folder, "restored.db"))];
  expect("both databases equal", before === after);
  output.line(`\n${output.style.green("equal")}: SHA-256 of all rows is ${before} in both`);
  output.json({ status: "done", seen: stages, sha256: before });
}

/** The id of the one run that can go on. */
async function interruptedRun(folder: string, signal: AbortSignal): Promise<string> {
  const command = selfCommand(folder, ["runs", "list", "--unfinished", "--json"], {}, signal);
  const { stdout } = await new Deno.Command(command.program, { ...command.options, stdout: "piped" })
    .output();
  const line: unknown = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "");
  const runs = typeof line === "object" && line !== null && "runs" in line && Array.isArray(line.runs)
    ? line.runs
    : [];
  const id: unknown = runs[0]?.id;
  if (typeof id === "string") return id;
  throw new CairnError("internal", "the demo found no interrupted run");
}

async function runSelf(
  folder: string,
  args: readonly string[],
  env: Record<string, string>,
  signal: AbortSignal,
  stdout: "inherit" | "null",
): Promise<Deno.CommandStatus> {
  const { program, options } = selfCommand(folder, args, env, signal);
  return await new Deno.Command(program, { ...options, stdout, stderr: "inherit" }).spawn().status;
}

/** This program, compiled or not, with a state folder of its own. */
function selfCommand(
  folder: string,
  args: readonly string[],
  env: Record<string, string>,
  signal: AbortSignal,
): { program: string; options: Deno.CommandOptions } {
  const script = Deno.build.standalone ? [] : ["run", "-A", "--quiet", "--unstable-cron", Deno.mainModule];
  return {
    program: Deno.execPath(),
    options: {
      args: [...script, ...args],
      cwd: folder,
      env: {
        ...env,
        CAIRN_HOME: join(folder, "state"),
        CAIRN_CONFIG: "",
        CAIRN_PART_BYTES: String(PART_BYTES),
      },
      stdin: "null",
      stderr: "null",
      signal,
    },
  };
}
