import assert from "node:assert/strict";
import { join } from "node:path";
import {
  createKeyFile,
  proveKey,
  readProofs,
  recipientsOfFile,
  rememberProof,
  unprovenRecipients,
} from "../../steps/key.ts";
import { generateIdentity, protectIdentity } from "../../streams/age.ts";

const NOW = new Date("2026-11-23T05:03:11.482Z");

/** Runs a test in a folder of its own. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a key file has the form of age-keygen, is private, and is never overwritten", () =>
  inFolder(async (folder) => {
    const file = join(folder, "new", "key.txt");
    const made = await createKeyFile(file, NOW);
    const text = await Deno.readTextFile(file);
    assert.match(
      text,
      /^# created: 2026-11-23T05:03:11Z\n# public key: age1[0-9a-z]+\nAGE-SECRET-KEY-1[0-9A-Z]+\n$/,
    );
    assert.ok(text.includes(made.recipient));
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    assert.equal(((await Deno.stat(join(folder, "new"))).mode ?? 0) & 0o777, 0o700);
    await assert.rejects(createKeyFile(file, NOW), { code: "target_exists" });
    assert.equal(await Deno.readTextFile(file), text);
  }));

Deno.test("a key is proven by what it opens, and told what it does not", () =>
  inFolder(async (folder) => {
    const mine = await createKeyFile(join(folder, "mine"), NOW);
    const other = await generateIdentity();
    assert.deepEqual(await proveKey(mine.file, []), { opens: [mine.recipient], foreign: [] });
    assert.deepEqual(await proveKey(mine.file, [other.recipient, mine.recipient]), {
      opens: [mine.recipient],
      foreign: [other.recipient],
    });
    assert.deepEqual(await recipientsOfFile(mine.file), [mine.recipient]);
    await assert.rejects(proveKey(mine.file, ["age1nonsense"]), { code: "usage" });
  }));

Deno.test("a file with several identities is proven for all of them", () =>
  inFolder(async (folder) => {
    const keys = [await generateIdentity(), await generateIdentity()];
    const file = join(folder, "keys");
    await Deno.writeTextFile(file, keys.map((key) => `# one\n${key.identity}\n`).join("\n"));
    assert.deepEqual((await proveKey(file, [])).opens, keys.map((key) => key.recipient));
  }));

Deno.test("a key file protected by a passphrase is proven when the passphrase is given", () =>
  inFolder(async (folder) => {
    const key = await generateIdentity();
    const file = join(folder, "key.age");
    await Deno.writeFile(file, await protectIdentity(key.identity, "correct horse", 10));
    const answer = (text: string | undefined) => () => Promise.resolve(text);
    assert.deepEqual((await proveKey(file, [], answer("correct horse"))).opens, [key.recipient]);
    await assert.rejects(proveKey(file, [], answer("wrong")), { code: "key" });
    await assert.rejects(proveKey(file, [], answer(undefined)), { code: "key", message: /passphrase/ });
    await assert.rejects(proveKey(file, []), { code: "key", message: /passphrase/ });
  }));

Deno.test("a file without a key is refused, and its content is not told", () =>
  inFolder(async (folder) => {
    const file = join(folder, "password");
    await Deno.writeTextFile(file, "hunter2\n");
    await assert.rejects(proveKey(file, []), (error: Error & { code: string }) => {
      assert.equal(error.code, "key");
      assert.ok(!error.message.includes("hunter2"));
      return true;
    });
    await assert.rejects(proveKey(join(folder, "missing"), []), { code: "key" });
  }));

Deno.test("proofs are remembered beside each other, and a broken memory proves nothing", () =>
  inFolder(async (folder) => {
    const home = join(folder, "home");
    assert.deepEqual(await unprovenRecipients(home, ["age1a"]), ["age1a"]);
    await rememberProof(home, { opens: ["age1a"], foreign: ["age1c"] }, NOW);
    await rememberProof(home, { opens: ["age1b"], foreign: [] }, NOW);
    assert.deepEqual([...await readProofs(home)], [["age1a", NOW.toISOString()], [
      "age1b",
      NOW.toISOString(),
    ]]);
    assert.deepEqual(await unprovenRecipients(home, ["age1a", "age1b", "age1c"]), ["age1c"]);
    const file = join(home, "key-check.json");
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    for (const broken of ["", "{", "[]", '{"version":2,"proven":{"age1a":"x"}}']) {
      await Deno.writeTextFile(file, broken);
      assert.deepEqual(await unprovenRecipients(home, ["age1a"]), ["age1a"]);
    }
  }));
