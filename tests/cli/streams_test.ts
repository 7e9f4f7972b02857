/** What goes to which stream: results, JSON lines, nothing with --quiet, no colours in a pipe, and no reader at all. */
import assert from "node:assert/strict";
import { backUp, linesOf, nothingLeft, openPlace, together, well } from "./cairn.ts";

Deno.test("with --json standard output is JSON lines and nothing else, whatever the command", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  await backUp(place);
  const commands = [
    ["list"],
    ["status"],
    ["runs"],
    ["ping", "app.db"],
    ["show", "latest"],
    ["verify", "latest", "--read-data"],
    ["restore", "latest", "--into", "restored.db"],
    ["catalog", "rebuild"],
    ["config", "check"],
    ["config", "schema"],
    ["key", "generate"],
    ["init", "--yes", "--output", "made.yaml", "--no-encrypt"],
  ];
  await together(commands, async (command) => {
    const ended = await place.cairn([...command, "--json"]);
    assert.ok(well(ended), command.join(" "));
    assert.ok(linesOf(ended).length >= 1);
  });
});

Deno.test("a pipe gets no escape sequence and no carriage return, whatever the environment says", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const options = { env: { TERM: "xterm-256color", FORCE_COLOR: "3", COLORTERM: "truecolor" } };
  const commands = [["backup", "app.db"], ["list"], ["status"], ["runs"], ["verify", "latest"], [
    "backup",
    "none.db",
  ]];
  for (const command of commands) {
    const { stdout, stderr } = await place.cairn(command, options);
    const told = `${stdout}${stderr}`;
    assert.ok(told !== "" && !told.includes("\x1b") && !told.includes("\r"), `${command}: ${told}`);
  }
});

Deno.test("--quiet leaves warnings and errors, and with --json the lines", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  assert.deepEqual(await place.cairn(["backup", "app.db", "--quiet"]), {
    code: 0,
    signal: null,
    stdout: "",
    stderr: "",
  });
  const both = await place.cairn(["backup", "app.db", "--quiet", "--json"]);
  assert.equal(both.stderr, "");
  assert.deepEqual(linesOf(both).map((line) => line.status), ["running", "done"]);
  for (
    const command of [["list"], ["status"], ["verify", "latest"], ["restore", "latest", "--into", "r.db"]]
  ) {
    const { code, stdout, stderr } = await place.cairn([...command, "--quiet"]);
    assert.deepEqual([code, stdout, stderr], [0, "", ""], command.join(" "));
  }
  const failure = await place.cairn(["restore", "latest", "--into", "r.db", "--quiet"]);
  assert.deepEqual([failure.code, failure.stdout], [4, ""]);
  assert.match(failure.stderr, /^error: .*r\.db has 2 tables\n {2}hint: .*\n$/);
  const { recipient } = well(await place.cairn(["key", "generate", "--json"]));
  const warned = await place.cairn(["backup", "app.db", "--encrypt-to", recipient, "--quiet"]);
  assert.deepEqual([warned.code, warned.stdout], [0, ""]);
  assert.match(warned.stderr, /^warning: no key was ever proven to open this backup: .*\n$/);
});

Deno.test("a reader that goes away changes nothing: commands end well, backups are made", async () => {
  await using place = await openPlace();
  place.database("app.db", 400);
  const deaf = { deaf: true };
  for (
    const command of [["backup", "app.db"], ["backup", "app.db", "--json"], ["list"], ["runs", "--json"]]
  ) {
    const { code, signal, stderr } = await place.cairn(command, deaf);
    assert.deepEqual([code, signal], [0, null], command.join(" "));
    if (!command.includes("--json")) assert.equal(stderr, "");
  }
  assert.equal(well(await place.cairn(["list", "--json"])).artifacts.length, 2);
  await nothingLeft(place);
});

Deno.test("an export whose reader goes away ends without a stack, and is no success", async () => {
  await using place = await openPlace();
  place.database("app.db", 4000);
  await backUp(place);
  const { code, signal, stderr } = await place.cairn(["export", "latest"], { deaf: true });
  assert.notEqual(code, 0);
  assert.equal(signal, null);
  assert.match(stderr, /^error: standard output was closed/);
  assert.doesNotMatch(stderr, /defect|\n {4}at /);
  await nothingLeft(place);
});
