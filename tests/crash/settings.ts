/** How thorough the crash suite is, and what it needs. */

/** True for `CAIRN_CRASH=full`: all that `deno task test:crash` promises. The default is a sample of it. */
export const FULL: boolean = Deno.env.get("CAIRN_CRASH") === "full";

/** How many cases run beside each other. */
export const AT_ONCE = 2;

/** `full` or `quick` counts. */
export function thorough<T>(full: T, quick: T): T {
  return FULL ? full : quick;
}

/**
 * True when the test has to be left out because the machine lacks something, which is said loudly; an error in CI, where
 * everything is provided.
 */
export function lacks(what: string, isThere: boolean, hint: string): boolean {
  if (isThere) return false;
  const message = `the crash suite needs ${what}: ${hint}`;
  if (Deno.env.get("CI") === "true") throw new Error(message);
  tell(`SKIPPED: ${message}`);
  return true;
}

/** What the suite decodes artifacts and reads databases with, so that Cairn is not its own witness. */
const STOCK_TOOLS = ["age", "zstd", "sqlite3"];

/** A test of the suite; `programs` are those that it needs beside the stock tools. */
export function crashTest(name: string, work: () => Promise<void>, programs: readonly string[] = []): void {
  Deno.test(name, async () => {
    for (const program of [...STOCK_TOOLS, ...programs]) {
      if (lacks(program, await hasProgram(program), "tests/provision.sh installs it")) return;
    }
    await work();
  });
}

async function hasProgram(name: string): Promise<boolean> {
  try {
    await new Deno.Command(name, { args: ["--version"], stdin: "null", stdout: "null", stderr: "null" })
      .output();
    return true;
  } catch {
    return false;
  }
}

/** Writes a line to standard error, where it stands among the results. */
export function tell(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
