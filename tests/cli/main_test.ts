/** The program as a process: exit codes, streams, signals. */
import assert from "node:assert/strict";
import { type Ended, openPlace } from "./cairn.ts";

/** Runs the program with a state folder of its own and gives what it wrote. */
async function cairn(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Omit<Ended, "signal">> {
  await using place = await openPlace();
  const { code, stdout, stderr } = await place.cairn(args, { env });
  return { code, stdout, stderr };
}

Deno.test("without arguments the help is printed, and that is no error", async () => {
  const { code, stdout, stderr } = await cairn([]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^Usage: cairn <command> \[options\]/);
});

Deno.test("the version is that of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.deepEqual(await cairn(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

Deno.test("a wrong command line is exit code 2, and with --json a line on standard output", async () => {
  const told = await cairn(["completions", "--jsno"]);
  assert.deepEqual(told, {
    code: 2,
    stdout: "",
    stderr: 'error: unknown option "--jsno"\n  did you mean "--json"?\n',
  });
  const { code, stdout } = await cairn(["--json", "completion"]);
  assert.equal(code, 2);
  assert.deepEqual(JSON.parse(stdout), {
    version: 1,
    status: "failed",
    resumable: false,
    error: { code: "usage", message: 'unknown command "completion"', hint: 'did you mean "completions"?' },
  });
});

Deno.test("a missing subcommand shows the help on standard error", async () => {
  const { code, stdout, stderr } = await cairn(["key"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^Usage: cairn key [\s\S]*error: a subcommand is missing\n {2}hint: .*\n$/);
});

Deno.test("an error of a command has its own exit code, no stack, and one JSON line with --json", async () => {
  const { code, stdout, stderr } = await cairn(["key", "check", "--identity", "/nowhere/key", "--json"]);
  assert.equal(code, 4);
  assert.match(stderr, /^error: the key file \/nowhere\/key cannot be read\n {2}because: .*os error 2/);
  assert.ok(!stderr.includes("    at "));
  assert.equal(JSON.parse(stdout).error.code, "key");
  const debug = await cairn(["key", "check", "--identity", "/nowhere/key", "--debug"]);
  assert.match(debug.stderr, /\n {4}at /);
});

Deno.test("a reader that goes away is no error", async () => {
  await using place = await openPlace();
  const { code, stderr } = await place.cairn(["--help"], { deaf: true });
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("no escape sequence reaches a pipe, whatever the environment says", async () => {
  const { stdout, stderr } = await cairn(["key", "generate"], { TERM: "xterm-256color", FORCE_COLOR: "3" });
  assert.ok(!`${stdout}${stderr}`.includes("\x1b"));
});

Deno.test("completion answers with commands, options and choices", async () => {
  assert.match((await cairn(["complete", "--", "comp"])).stdout, /^completions\t/);
  assert.match((await cairn(["complete", "--", "key", ""])).stdout, /^generate\t[\s\S]*^check\t/m);
  assert.match((await cairn(["complete", "--", "completions", ""])).stdout, /^zsh\b/m);
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, stdout } = await cairn(["completions", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /cairn/);
  }
});
