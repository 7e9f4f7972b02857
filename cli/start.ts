/** Starts the command line, and ends the process with the exit code that belongs to the outcome. */
import { ERROR_CODES } from "../errors.ts";
import { buildProgram, runProgram } from "./program.ts";
import { openSession } from "./session.ts";

/** Runs the command in `args`; never returns. */
export async function start(version: string, args: readonly string[]): Promise<never> {
  // A promise that nobody waits for is a defect, wherever it is: say so instead of dying with a bare stack.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason, version, args).then(Deno.exit, () => Deno.exit(ERROR_CODES.internal.exit));
  });
  try {
    await runProgram(buildProgram(version), args);
  } catch (error) {
    Deno.exitCode = await fail(error, version, args);
  }
  // Explicitly: a worker or a connection that is still closing must not hold up the shell.
  Deno.exit(Deno.exitCode);
}

/** Tells an error that no command could tell: a wrong command line, or a defect. */
async function fail(error: unknown, version: string, args: readonly string[]): Promise<number> {
  const has = (flag: string) => args.includes(flag);
  const session = openSession({
    ...(has("--json") ? { json: true } : {}),
    ...(has("--debug") ? { debug: true } : {}),
    color: !has("--no-color"),
  }, version);
  const { exitCode } = session.fail(error);
  await session.close();
  return exitCode;
}
