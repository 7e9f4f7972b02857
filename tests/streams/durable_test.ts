import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CairnError } from "../../errors.ts";
import { hashFile, makePrivateFolder, syncFile, syncFolder, writeDurable } from "../../streams/durable.ts";
import { inFolder } from "./fixture.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

async function mode(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

Deno.test("a durable file is private and leaves no temporary file", async () => {
  await inFolder(async (folder) => {
    await writeDurable(`${folder}/a`, bytes("one"), { create: true });
    await writeDurable(`${folder}/b`, bytes("two"), { create: false, mode: 0o640 });
    assert.deepEqual(await names(folder), ["a", "b"]);
    assert.equal(await mode(`${folder}/a`), 0o600);
    assert.equal(await Deno.readTextFile(`${folder}/b`), "two");
    await syncFile(`${folder}/a`);
    await syncFolder(folder);
  });
});

Deno.test("create never replaces, not even a dangling link; replace does", async () => {
  await inFolder(async (folder) => {
    await writeDurable(`${folder}/a`, bytes("one"), { create: true });
    await Deno.symlink("nowhere", `${folder}/dangling`);
    for (const name of ["a", "dangling"]) {
      await assert.rejects(
        writeDurable(`${folder}/${name}`, bytes("two"), { create: true }),
        (error) => error instanceof CairnError && error.code === "exists" && error.message.includes(name),
      );
    }
    assert.equal(await Deno.readTextFile(`${folder}/a`), "one");
    await writeDurable(`${folder}/a`, bytes("two"), { create: false });
    assert.equal(await Deno.readTextFile(`${folder}/a`), "two");
    assert.deepEqual(await names(folder), ["a", "dangling"]);
  });
});

Deno.test("a failed write leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/full`);
    await Deno.writeTextFile(`${folder}/full/x`, "");
    await assert.rejects(writeDurable(`${folder}/full`, bytes("one"), { create: false }));
    assert.deepEqual(await names(folder), ["full"]);
  });
});

Deno.test("hashFile tells size and SHA-256, and stops when aborted", async () => {
  await inFolder(async (folder) => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(`${folder}/a`, content);
    const expected = createHash("sha256").update(content).digest("hex");
    assert.deepEqual(await hashFile(`${folder}/a`), { bytes: 60_000, sha256: expected });
    await assert.rejects(hashFile(`${folder}/a`, AbortSignal.abort(new Error("stop"))), /stop/);
  });
});

Deno.test("missing parents are made private, existing folders stay as they are", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/open`, { mode: 0o755 });
    await makePrivateFolder(`${folder}/open/a/b`);
    await makePrivateFolder(`${folder}/open/a/b`);
    assert.equal(await mode(`${folder}/open`), 0o755);
    assert.equal(await mode(`${folder}/open/a`), 0o700);
    assert.equal(await mode(`${folder}/open/a/b`), 0o700);
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const path of [`${folder}/file`, `${folder}/file/below`]) {
      await assert.rejects(
        makePrivateFolder(path),
        (error) => error instanceof CairnError && error.code === "refused",
      );
    }
  });
});

Deno.test({
  name: "a folder that cannot be made is an error, not an endless try",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // The kernel's own file system answers "not found" to whoever makes a folder in it.
    await assert.rejects(makePrivateFolder("/proc/cairn/store"), Deno.errors.NotFound);
  },
});

Deno.test("a folder is made although another process tidies its empty parent away meanwhile", async () => {
  const folder = await Deno.makeTempDir();
  const parent = `${folder}/parent`;
  const tidy = async () => {
    for (let time = 0; time < 500; time++) await Deno.remove(parent).catch(() => {});
  };
  const tidying = tidy();
  try {
    for (let time = 0; time < 50; time++) {
      await makePrivateFolder(`${parent}/child`);
      await Deno.remove(`${parent}/child`);
    }
  } finally {
    await tidying;
    await Deno.remove(folder, { recursive: true });
  }
});
