/** A local store on file systems of its own: full, foreign, unmounted. Needs the right to mount, else it is skipped. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CairnError } from "../../errors.ts";
import { openLocalStore } from "../../storage/local.ts";

const mountable = await canMount();

interface Mounted extends AsyncDisposable {
  /** A folder on the ordinary disk. */
  readonly folder: string;
  /** A tmpfs of 2 MiB. */
  readonly small: string;
  unmount(): Promise<void>;
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

async function mounted(): Promise<Mounted> {
  const folder = await Deno.makeTempDir();
  const small = join(folder, "small");
  await Deno.mkdir(small);
  assert.ok(await run("mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", small));
  let there = true;
  const unmount = async () => {
    if (there) assert.ok(await run("umount", small));
    there = false;
  };
  return {
    folder,
    small,
    unmount,
    async [Symbol.asyncDispose]() {
      await unmount();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir();
  const able = await run("mount", "-t", "tmpfs", "tmpfs", folder) && await run("umount", folder);
  await Deno.remove(folder);
  return able;
}

async function filesBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(path)) {
    if (entry.isDirectory) found.push(...await filesBelow(join(path, entry.name)));
    else found.push(entry.name);
  }
  return found;
}

const rejects = (call: () => Promise<unknown>, code: string) =>
  assert.rejects(call, (thrown) => {
    assert.ok(thrown instanceof CairnError, `not a CairnError: ${thrown}`);
    assert.equal(thrown.code, code);
    return true;
  });

Deno.test("a file from another file system is copied in", { ignore: !mountable }, async () => {
  await using place = await mounted();
  const file = join(place.small, "part");
  await Deno.writeTextFile(file, "part", { mode: 0o600 });
  const store = openLocalStore(join(place.folder, "store"));
  assert.equal(await store.put("a/1", { file }, "create"), "created");
  assert.equal(await store.put("a/1", { file }, "create"), "same");
  assert.equal(await Deno.readTextFile(join(place.folder, "store/a/1")), "part");
  assert.equal(await Deno.readTextFile(file), "part");
  assert.deepEqual(await filesBelow(join(place.folder, "store/.partial")), []);
});

Deno.test("a full disk is said, and leaves nothing half named", { ignore: !mountable }, async () => {
  await using place = await mounted();
  const store = openLocalStore(place.small);
  const big = new Uint8Array(3 << 20).fill(1);
  const file = join(place.folder, "big");
  await Deno.writeFile(file, big, { mode: 0o600 });
  await store.put("a", { bytes: new Uint8Array(1) }, "create");
  for (const content of [{ bytes: big }, { file }]) {
    await rejects(() => store.put("b/1", content, "create"), "no_space");
    await rejects(() => store.put("a", content, "replace"), "no_space");
  }
  assert.deepEqual(await filesBelow(place.small), ["a"]);
  assert.equal((await store.stat("a"))?.bytes, 1);
});

Deno.test(
  "an unmounted store is unreachable, and its mount point stays empty",
  { ignore: !mountable },
  async () => {
    await using place = await mounted();
    const store = openLocalStore(place.small);
    await store.put("a", { bytes: new Uint8Array(1) }, "create");
    await place.unmount();
    await rejects(() => store.put("b", { bytes: new Uint8Array(1) }, "create"), "unreachable");
    await rejects(() => store.get("a"), "unreachable");
    await rejects(() => store.list(""), "unreachable");
    assert.deepEqual(await filesBelow(place.small), []);
  },
);
