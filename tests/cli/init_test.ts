/** The first minute, with the program as a process. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Ended, openPlace } from "./cairn.ts";

/** Runs a test in an empty folder with a database; `cairn` runs the program there, with folders of its own. */
async function inFolder(
  work: (folder: string, cairn: (...args: string[]) => Promise<Ended>) => Promise<void>,
): Promise<void> {
  await using place = await openPlace();
  place.database("app.db", 10);
  await work(place.folder, (...args) => place.cairn(args));
}

Deno.test("init makes a configuration that passes the check and a key that is proven", () =>
  inFolder(async (folder, cairn) => {
    const made = await cairn("init", "--yes", "--database", "app.db", "--json");
    assert.equal(made.code, 0, made.stderr);
    const told = JSON.parse(made.stdout);
    const file = join(folder, "xdg/cairn/cairn.yaml");
    assert.equal(told.file, file);
    assert.equal(told.store, join(folder, "backups"));
    assert.deepEqual(told.databases, [{ name: "app", path: join(folder, "app.db") }]);
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    assert.match(made.stderr, /keep a copy of the key elsewhere/);

    const checked = JSON.parse((await cairn("config", "check", "--json")).stdout);
    assert.deepEqual([checked.databases, checked.stores], [["app"], ["local"]]);
    const proven = JSON.parse((await cairn("key", "check", "--json")).stdout);
    assert.deepEqual(proven.opens, [told.key.recipient]);
    const proofs = JSON.parse(await Deno.readTextFile(join(folder, "home/key-check.json")));
    assert.deepEqual(Object.keys(proofs.proven), [told.key.recipient]);
  }));

Deno.test("init overwrites nothing: not the configuration, not the key", () =>
  inFolder(async (folder, cairn) => {
    assert.equal((await cairn("key", "generate")).code, 0);
    const key = await Deno.readTextFile(join(folder, "home/key.txt"));
    const first = JSON.parse((await cairn("init", "--yes", "--json")).stdout);
    assert.equal(first.key.isNew, false);
    assert.ok(key.includes(first.key.recipient));
    const text = await Deno.readTextFile(first.file);
    const second = await cairn("init", "--yes");
    assert.equal(second.code, 4);
    assert.match(second.stderr, /already, and a configuration is never overwritten/);
    assert.equal(await Deno.readTextFile(first.file), text);
    assert.equal(await Deno.readTextFile(join(folder, "home/key.txt")), key);
  }));

Deno.test("init without encryption makes no key", () =>
  inFolder(async (folder, cairn) => {
    const made = await cairn(
      "init",
      "--yes",
      "--no-encrypt",
      "--output",
      "here.yaml",
      "--store",
      "b",
      "--json",
    );
    assert.equal(JSON.parse(made.stdout).key, null);
    assert.equal(JSON.parse(made.stdout).store, join(folder, "b"));
    await assert.rejects(Deno.stat(join(folder, "home")), Deno.errors.NotFound);
    assert.equal((await cairn("config", "check", "--config", "here.yaml")).code, 0);
  }));

Deno.test("without a terminal init asks nothing and makes nothing, and says what to do", () =>
  inFolder(async (folder, cairn) => {
    const asked = await cairn("init");
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /--yes/);
    const missing = await cairn("init", "--yes", "--database", "missing.db");
    assert.equal(missing.code, 3);
    const entries = await Array.fromAsync(Deno.readDir(folder));
    assert.deepEqual(entries.map((entry) => entry.name), ["app.db"]);
  }));

Deno.test("a wrong configuration is told with its place, and ends with exit code 2", () =>
  inFolder(async (folder, cairn) => {
    await Deno.writeTextFile(join(folder, "cairn.yaml"), "stores:\n  local: ./b\ndatabasess: {}\n", {
      mode: 0o600,
    });
    const { code, stderr } = await cairn("config", "check");
    assert.equal(code, 2);
    assert.equal(stderr, 'cairn.yaml:3:1: unknown key "databasess"\n  did you mean "databases"?\n');
    assert.equal((await cairn("list")).code, 2);
    assert.equal((await cairn("completions", "bash")).code, 0);
  }));

Deno.test("the shell completes names from the configuration, and files", () =>
  inFolder(async (_folder, cairn) => {
    await cairn("init", "--yes", "--database", "app.db", "--no-encrypt");
    assert.match((await cairn("complete", "--", "backup", "")).stdout, /^app\tdatabase\napp\.db\t/);
    assert.match((await cairn("complete", "--", "backup", "app", "--to", "")).stdout, /^local\tstore\n/);
    assert.match((await cairn("complete", "--", "list", "--js")).stdout, /^--json\t/);
    assert.equal((await cairn("complete", "--", "resume", "")).stdout, ":4\n");
  }));
