import assert from "node:assert/strict";
import { buildProgram, runProgram } from "../../cli/program.ts";

/** The error of a wrong command line. */
async function usageOf(...args: string[]) {
  let told: { code?: string; message: string; hint?: string } | undefined;
  await assert.rejects(runProgram(buildProgram("1.2.3"), args), (error: NonNullable<typeof told>) => {
    told = error;
    return error.code === "usage";
  });
  return told ?? assert.fail("no error");
}

Deno.test("a wrong option is a usage error that names a near one", async () => {
  const error = await usageOf("completions", "bash", "--quite");
  assert.equal(error.message, 'unknown option "--quite"');
  assert.equal(error.hint, 'did you mean "--quiet"?');
});

Deno.test("a wrong command is a usage error that names a near one", async () => {
  const error = await usageOf("completion");
  assert.equal(error.message, 'unknown command "completion"');
  assert.equal(error.hint, 'did you mean "completions"?');
});

Deno.test("a missing argument, a wrong choice and too many words are usage errors", async () => {
  assert.match((await usageOf("completions")).message, /missing required argument "shell"/);
  assert.match((await usageOf("completions", "tcsh")).message, /bash, zsh, fish, powershell/);
  assert.match((await usageOf("completions", "bash", "zsh")).message, /too many arguments/);
  assert.match((await usageOf("key")).message, /subcommand/);
});
