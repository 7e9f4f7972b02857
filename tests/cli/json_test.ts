/**
 * The JSON lines that others script against, compared with `tests/golden/json`; `UPDATE_GOLDEN=1` writes them anew. Ids, times,
 * durations, keys, checksums and paths are replaced by what they are.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Ended, failed, type Line, linesOf, nothingLeft, openPlace, type Place, well } from "./cairn.ts";

const FOLDER = fileURLToPath(new URL("../golden/json/", import.meta.url));
const isUpdate = Deno.env.get("UPDATE_GOLDEN") !== undefined;

/** Numbers that depend on the machine and the moment. */
const MOMENTARY = /^(milliseconds|latencyMilliseconds|startedAt|endedAt|wakeAt)$/;

/** Texts that differ each time, by what stands for them. */
const VARIABLE: readonly [RegExp, string][] = [
  [/\b\d{8}T\d{9}Z-[a-z0-9]{6}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\b/g, "<time>"],
  [/\bage1[a-z0-9]{58}\b/g, "<recipient>"],
  [/\b[0-9a-f]{64}\b/g, "<sha256>"],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<uuid>"],
  [/-----BEGIN AGE ENCRYPTED FILE-----[\s\S]*/g, "<age file>"],
  [/\bSQLite \d[\d.]*/g, "SQLite <version>"],
];

/** A value without what differs each time; stages and steps that overlap begin in any order. */
function normal(place: Place, value: Line, key = ""): Line {
  if (typeof value === "string") {
    if (key === "host" || key === "cairn") return `<${key}>`;
    const local = value.replaceAll(place.folder, "<folder>");
    return VARIABLE.reduce((text, [pattern, name]) => text.replace(pattern, name), local);
  }
  if (typeof value === "number") return MOMENTARY.test(key) ? 0 : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const all = value.map((each) => normal(place, each));
    const nameOf = (each: Line) => key === "stages" ? each.stage : each.name;
    return key === "stages" || key === "steps" ? all.sort((a, b) => nameOf(a) < nameOf(b) ? -1 : 1) : all;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, normal(place, each, name)]));
}

const seen = new Set<string>();

/** Compares the lines of a command with the golden file of that name, and gives the last one. */
async function golden(place: Place, name: string, ended: Ended): Promise<Line> {
  const lines = linesOf(ended);
  const text = JSON.stringify(lines.map((line) => normal(place, line)), null, 2) + "\n";
  const file = `${FOLDER}${name}.json`;
  seen.add(`${name}.json`);
  if (isUpdate) {
    await Deno.mkdir(FOLDER, { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  assert.equal(text, await Deno.readTextFile(file), `${name}: ${ended.stderr}`);
  return lines.at(-1);
}

Deno.test("a backup, and what looks at it: the JSON of each command is the golden one", async () => {
  await using place = await openPlace();
  place.database("app.db", 600);
  const cairn = async (name: string, ...args: string[]) =>
    await golden(place, name, await place.cairn([...args, "--json"]));

  await cairn("status_nothing", "status");
  await cairn("list_nothing", "list");
  await cairn("ping", "ping", "app.db");
  const backup = await place.cairn(["backup", "app.db", "--json"]);
  const { run, artifact } = await golden(place, "backup", backup);
  // The forms that the first version promised.
  assert.deepEqual(linesOf(backup)[0], { version: 1, run, status: "running" });
  for (const field of ["id", "manifest", "sizeBytes", "storedBytes", "parts"]) {
    assert.ok(artifact[field], field);
  }
  assert.ok(artifact.parts > 1);

  const [listed] = (await cairn("list", "list")).artifacts;
  for (const field of ["id", "label", "type", "createdAt", "sizeBytes", "storedBytes"]) {
    assert.ok(listed[field], field);
  }
  await cairn("show", "show", "latest");
  await cairn("verify", "verify", "latest");
  await cairn("verify_read_data", "verify", "latest", "--read-data");
  await cairn("restore", "restore", artifact.id, "--into", "restored.db");
  await cairn("status", "status");
  await cairn("catalog_rebuild", "catalog", "rebuild", "--from", "backups");

  const runs = (await cairn("runs", "runs", "list")).runs;
  assert.deepEqual(runs.map((each: Line) => each.workflow), ["restore", "verify", "verify", "backup"]);
  for (const field of ["id", "workflow", "status", "label", "stages"]) assert.ok(runs[0][field], field);
  await cairn("runs_show", "runs", "show", run);
  await nothingLeft(place);
});

Deno.test("failures, and runs that go on after one: the JSON of each is the golden one", async () => {
  await using place = await openPlace();
  place.database("app.db", 600);
  const cairn = async (name: string, ...args: string[]) =>
    await golden(place, name, await place.cairn([...args, "--json"]));
  const kill = async (point: string) => {
    const killed = await place.cairn(["backup", "app.db", "--json"], { env: { CAIRN_CRASH_AT: point } });
    assert.equal(killed.signal, "SIGKILL");
    return linesOf(killed)[0].run;
  };

  await cairn("failure_usage", "backup", "app.db", "--level", "77");
  await Deno.writeTextFile(place.path("text.db"), "no database");
  const refused = await cairn("failure_refused", "backup", "text.db");
  for (const field of ["version", "run", "status", "resumable", "error"]) assert.ok(field in refused, field);
  for (const field of ["code", "message", "hint"]) assert.ok(refused.error[field], field);

  const first = await kill("after step-done sums/1");
  await cairn("runs_unfinished", "runs", "list", "--unfinished");
  await cairn("runs_show_unfinished", "runs", "show", first);
  const status = await place.cairn(["status", "--json"]);
  assert.equal(status.code, 1);
  await golden(place, "status_unfinished", status);
  const resumed = await cairn("resume", "resume", first);
  for (const field of ["id", "manifest", "sizeBytes", "storedBytes", "parts"]) {
    assert.ok(resumed.artifact[field], field);
  }
  // The result of a run that is done is told again.
  assert.deepEqual(well(await place.cairn(["resume", first, "--json"])), resumed);

  await cairn("cancel", "cancel", await kill("before step-done dump/1"));
  const taken = await place.cairn(["restore", "latest", "--into", "app.db", "--json"]);
  await golden(place, "failure_target_exists", taken);
  failed(taken, { exit: 4, code: "target_exists", message: /app\.db has 2 tables/, hint: /--overwrite/ });
  await nothingLeft(place);
});

Deno.test("keys, configuration and encrypted artifacts: the JSON of each command is the golden one", async () => {
  await using place = await openPlace();
  place.database("app.db", 50);
  const cairn = async (name: string, ...args: string[]) =>
    await golden(place, name, await place.cairn([...args, "--json"]));

  await cairn("config_check_nothing", "config", "check");
  await cairn("init", "init", "--yes", "--database", "app.db", "--output", "cairn.yaml", "--store", "store");
  await cairn("config_check", "config", "check");
  await cairn("key_generate", "key", "generate", "--output", "other.txt");
  await cairn("key_check", "key", "check");
  await cairn("backup_encrypted", "backup", "app");
  await cairn("show_encrypted", "show", "latest");
  await cairn("status_encrypted", "status");
});

Deno.test("the demo ends well, as JSON too, and cleans up", async () => {
  await using place = await openPlace();
  await Deno.mkdir(place.path("tmp"));
  const demo = await place.cairn(["demo", "--json"], {
    env: { TMPDIR: place.path("tmp"), CAIRN_PART_BYTES: "" },
  });
  await golden(place, "demo", demo);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(place.path("tmp"))), []);
});

Deno.test("no golden file is left of a command that is gone", async () => {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name);
  assert.deepEqual(files.sort(), [...seen].sort());
});
