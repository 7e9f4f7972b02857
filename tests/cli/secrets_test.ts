/** Secrets stay where they were put: not in any output, the state folder, the store, or the arguments of a process. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { backUp, type Ended, failed, openPlace, type Place, well } from "./cairn.ts";

const PASSPHRASE = `p@s"s/1 ü`;

/** A secret as it is, and as URLs, JSON, base64, hexadecimal and shells would write it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    encodeURI(secret),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    // Within a longer text the bytes may begin at any of three places: what does not depend on their neighbours.
    ...[0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64").slice(4, -4)),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    secret.replaceAll(/[^A-Za-z0-9]/g, "\\$&"),
  ].filter((form) => form.length >= 6);
}

/** The files below a folder that hold one of the forms. */
async function filesWith(folder: string, forms: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await filesWith(path, forms));
    else {
      const content = Buffer.from(await Deno.readFile(path));
      if (forms.some((form) => content.includes(form))) found.push(path);
    }
  }
  return found;
}

/** The processes that a process has started, by its threads (proc_pid_task_children(5)). */
async function childrenOf(pid: number): Promise<number[]> {
  const folder = `/proc/${pid}/task`;
  const threads = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  const lists = threads.map(({ name }) => Deno.readTextFile(`${folder}/${name}/children`).catch(() => ""));
  return (await Promise.all(lists)).join(" ").split(" ").filter(Boolean).map(Number);
}

/**
 * Looks, until stopped, at the arguments of the programs that this process runs and of all that those run, and at the
 * environment of the latter: that of the program itself is what the test gave it.
 */
function watchProcesses(forms: readonly string[]): { stop(): Promise<{ seen: string[]; samples: number }> } {
  const seen: string[] = [];
  let samples = 0;
  let isOver = false;
  const look = async (pid: number, depth: number): Promise<void> => {
    const read = (file: string) => Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "");
    const told = await read("cmdline") + (depth > 1 ? await read("environ") : "");
    if (depth > 1) samples++;
    if (forms.some((form) => told.includes(form))) seen.push(told.replaceAll("\0", " "));
    for (const child of await childrenOf(pid)) await look(child, depth + 1);
  };
  const watching = (async () => {
    while (!isOver) {
      for (const child of await childrenOf(Deno.pid)) await look(child, 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return { seen, samples };
    },
  };
}

/** Runs a command and asserts that nothing it wrote holds one of the forms. */
async function silent(
  place: Place,
  forms: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const ended = await place.cairn([...args, "--json", "--debug"], { env });
  for (const form of forms) assert.ok(!`${ended.stdout}${ended.stderr}`.includes(form), `${args}: ${form}`);
  return ended;
}

Deno.test("a passphrase is nowhere but where it was put", async () => {
  const forms = formsOf(PASSPHRASE);
  await using place = await openPlace();
  place.database("app.db", 400);
  await Deno.mkdir(place.path("secrets"));
  await Deno.writeTextFile(place.path("secrets/pass"), `${PASSPHRASE}\n`, { mode: 0o600 });
  await Deno.writeTextFile(place.path("secrets/wrong"), `not ${PASSPHRASE}\n`, { mode: 0o600 });
  const config = "databases:\n  app: {path: ./app.db, passphrase: {env: APP_PASSPHRASE}}\n";
  await Deno.writeTextFile(place.path("cairn.yaml"), config, { mode: 0o600 });
  const watcher = watchProcesses(forms);
  const file = ["--passphrase-file", "secrets/pass"];

  const killed = await silent(place, forms, ["backup", "app"], {
    APP_PASSPHRASE: PASSPHRASE,
    CAIRN_CRASH_AT: "after step-done dump/1",
  });
  assert.equal(killed.signal, "SIGKILL");
  // It goes on without the passphrase: the identity is journaled in its protected form only.
  well(await silent(place, forms, ["resume", JSON.parse(killed.stdout).run]));
  well(await silent(place, forms, ["restore", "latest", "--into", "restored.db", ...file]));
  const wrong = ["restore", "latest", "--into", "new.db", "--passphrase-file", "secrets/wrong"];
  const failure = await silent(place, forms, wrong);
  assert.equal(failure.code, 4);
  assert.equal((await silent(place, forms, ["backup", PASSPHRASE.slice(0, 3), ...file])).code, 3);

  const { seen, samples } = await watcher.stop();
  assert.deepEqual(seen, []);
  assert.ok(samples > 0, "no child was ever seen");
  assert.deepEqual(await filesWith(place.home, forms), []);
  assert.deepEqual(await filesWith(place.path("backups"), forms), []);
  // The search itself works.
  assert.deepEqual((await filesWith(place.path("secrets"), forms)).length, 2);
});

Deno.test("the age identity is in key.txt alone, and so is that of a passphrase", async () => {
  const forms = ["AGE-SECRET-KEY-1"];
  await using place = await openPlace();
  place.database("app.db", 50);
  const { recipient, file } = well(await silent(place, forms, ["key", "generate"]));
  const identity = (await Deno.readTextFile(file)).match(/AGE-SECRET-KEY-\S+/)?.[0] ?? "";
  const all = [...forms, ...formsOf(identity), identity.toLowerCase()];
  const watcher = watchProcesses(all);
  await backUp(place, "--encrypt-to", recipient);
  for (
    const args of [
      ["key", "check"],
      ["restore", "latest", "--into", "restored.db"],
      ["verify", "latest", "--read-data"],
      ["show", "latest"],
      ["status"],
    ]
  ) well(await silent(place, all, args));
  // A key that was mangled is not quoted by the error.
  await Deno.writeTextFile(place.path("mangled.txt"), `${identity.slice(0, -3)}\n`, { mode: 0o600 });
  const mangled = await silent(place, all, [
    "restore",
    "latest",
    "--into",
    "new.db",
    "--identity",
    "mangled.txt",
  ]);
  failed({ ...mangled, stderr: mangled.stderr.replaceAll(/\n {4}at .*/g, "") }, {
    exit: 4,
    code: "key",
    message: /mangled\.txt cannot be used as a key/,
    hint: /begins with AGE-SECRET-KEY-/,
  });
  assert.deepEqual((await watcher.stop()).seen, []);
  assert.deepEqual(await filesWith(place.home, all), [file]);
  assert.deepEqual(await filesWith(place.path("backups"), all), []);
});
