/** Starts the command line and ends the process with the exit code that belongs to the outcome. */
import meta from "./deno.json" with { type: "json" };
import { CHILD_ARGUMENT } from "./adapters/sqlite/call.ts";
import { ERROR_CODES } from "./errors.ts";
import { buildProgram, runProgram } from "./cli/program.ts";
import { openSession } from "./cli/session.ts";

/** Tells an error that no command could tell: a wrong command line, or a defect. */
async function fail(error: unknown): Promise<number> {
  const has = (flag: string) => Deno.args.includes(flag);
  const session = openSession({
    ...(has("--json") ? { json: true } : {}),
    ...(has("--debug") ? { debug: true } : {}),
    color: !has("--no-color"),
  }, meta.version);
  const { exitCode } = session.fail(error);
  await session.close();
  return exitCode;
}

// A promise that nobody waits for is a defect, wherever it is: say so instead of dying with a bare stack.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fail(event.reason).then(Deno.exit, () => Deno.exit(ERROR_CODES.internal.exit));
});

if (Deno.args[0] === CHILD_ARGUMENT) {
  const { serveChild } = await import("./adapters/sqlite/child.ts");
  await serveChild();
  Deno.exit();
}

if (import.meta.main) {
  try {
    await runProgram(buildProgram(meta.version), Deno.args);
  } catch (error) {
    Deno.exitCode = await fail(error);
  }
  // Explicitly: a worker or a connection that is still closing must not hold up the shell.
  Deno.exit(Deno.exitCode);
}
