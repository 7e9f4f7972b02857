import assert from "node:assert/strict";
import { join } from "node:path";
import { CairnError } from "../../errors.ts";
import { openLocalStore } from "../../storage/local.ts";
import type { Store } from "../../storage/storage.ts";
import { storeConformance } from "../conformance/store.ts";

interface Opened extends AsyncDisposable {
  readonly store: Store;
  readonly folder: string;
  readonly root: string;
}

const noLinks = (): Promise<void> =>
  Promise.reject(Object.assign(new Error("Operation not permitted"), { code: "EPERM" }));

async function open(options: Parameters<typeof openLocalStore>[1] = {}): Promise<Opened> {
  const folder = await Deno.makeTempDir();
  const root = join(folder, "made", "by", "put");
  return {
    store: openLocalStore(root, options),
    folder,
    root,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

storeConformance("local", () => open());
storeConformance("local without hard links", () => open({ link: noLinks }));

const bytes = (value: string) => ({ bytes: new TextEncoder().encode(value) });
const read = async (store: Store, key: string) => await new Response(await store.get(key)).text();
const modeOf = async (path: string) => ((await Deno.lstat(path)).mode ?? 0) & 0o777;

async function rejects(call: () => Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(call, (thrown) => {
    assert.ok(thrown instanceof CairnError, `not a CairnError: ${thrown}`);
    assert.equal(thrown.code, code);
    assert.match(thrown.message, message);
    return true;
  });
}

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(path)) names.push(entry.name);
  return names.toSorted();
}

const partials = (root: string) => namesIn(join(root, ".partial"));

Deno.test("folders are 0700 and objects 0600, whatever was put", async () => {
  await using opened = await open();
  const { store, folder, root } = opened;
  const loose = join(folder, "loose");
  await Deno.writeTextFile(loose, "x");
  await Deno.chmod(loose, 0o664);
  await store.put("a/b/bytes", bytes("x"), "create");
  await store.put("a/b/file", { file: loose }, "create");
  await store.put("a/b/replaced", { file: loose }, "replace");
  for (const path of ["", "a", "a/b", ".partial", "..", "../.."]) {
    assert.equal(await modeOf(join(root, path)), 0o700, path);
  }
  for (const name of ["bytes", "file", "replaced"]) {
    assert.equal(await modeOf(join(root, "a/b", name)), 0o600, name);
  }
  assert.equal(await modeOf(loose), 0o664);
});

Deno.test("a finished file in staging becomes the object without a copy", async () => {
  await using opened = await open();
  const { store, root } = opened;
  const staging = store.capabilities.staging;
  assert.equal(staging, join(root, ".partial"));
  assert.ok(staging);
  await Deno.mkdir(join(staging, "run"), { recursive: true, mode: 0o700 });
  const file = join(staging, "run", "000001");
  await Deno.writeTextFile(file, "part", { mode: 0o600 });
  assert.equal(await store.put("shop/000001", { file }, "create"), "created");
  assert.equal((await Deno.stat(file)).ino, (await Deno.stat(join(root, "shop/000001"))).ino);
  assert.equal(await store.put("shop/000001", { file }, "create"), "same");
  await Deno.remove(file);
  assert.equal(await read(store, "shop/000001"), "part");
  assert.equal(store.capabilities.path?.("shop/000001"), join(root, "shop/000001"));
});

Deno.test("nothing unfinished stays behind, and what lies in staging is neither listed nor reachable", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await store.put("a", bytes("1"), "create");
  await assert.rejects(() => store.put("a", bytes("2"), "create"));
  await store.put("a", bytes("3"), "replace");
  assert.deepEqual(await partials(root), []);
  await Deno.writeTextFile(join(root, ".partial", "x"), "x");
  assert.deepEqual((await store.list("")).entries.map((entry) => entry.name), ["a"]);
  assert.deepEqual((await store.list(".partial")).entries, []);
  await rejects(() => store.get(".partial/x"), "refused", /unfinished/);
  await rejects(() => store.put(".partial/y", bytes(""), "create"), "refused", /unfinished/);
});

Deno.test("what a killed put left behind is removed, what a living one writes is not", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await Deno.mkdir(join(root, ".partial"), { recursive: true });
  for (const name of ["put-killed", "put-living", "run-of-somebody"]) {
    await Deno.writeTextFile(join(root, ".partial", name), "half");
  }
  using living = await Deno.open(join(root, ".partial", "put-living"), { write: true });
  await living.lock(true);
  await store.put("a", bytes("1"), "create");
  assert.deepEqual(await partials(root), ["put-living", "run-of-somebody"]);
});

Deno.test("a delete removes what a killed put left behind, too", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await Deno.mkdir(join(root, ".partial"), { recursive: true });
  await Deno.writeTextFile(join(root, ".partial", "put-killed"), "half");
  await store.delete("a");
  assert.deepEqual(await partials(root), []);
});

Deno.test("symbolic links in the store are not followed, listed or written through", async () => {
  await using opened = await open();
  const { store, folder, root } = opened;
  const outside = join(folder, "outside");
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "secret"), "secret");
  await store.put("shop/real", bytes("real"), "create");
  await Deno.symlink(outside, join(root, "link"));
  await Deno.symlink(join(outside, "secret"), join(root, "shop", "object"));
  await Deno.symlink("real", join(root, "shop", "inside"));
  await Deno.symlink(join(outside, "new"), join(root, "shop", "dangling"));
  for (const key of ["link/secret", "shop/object", "shop/inside"]) {
    await rejects(() => store.get(key), "refused", /symbolic link/);
    await rejects(() => store.stat(key), "refused", /symbolic link/);
    await rejects(() => store.delete(key), "refused", /symbolic link/);
  }
  for (const key of ["link/new", "link/deep/new", "shop/dangling", "shop/object"]) {
    await rejects(() => store.put(key, bytes("x"), "create"), "refused", /symbolic link/);
    await rejects(() => store.put(key, bytes("x"), "replace"), "refused", /symbolic link/);
  }
  await rejects(() => store.list("link"), "refused", /symbolic link/);
  assert.deepEqual((await store.list("")).entries, [{ kind: "folder", name: "shop" }]);
  assert.deepEqual((await store.list("shop")).entries, [{ kind: "object", name: "real", bytes: 4 }]);
  assert.deepEqual(await namesIn(outside), ["secret"]);
});

Deno.test("a symbolic link given as the content is refused", async () => {
  await using opened = await open();
  const { store, folder } = opened;
  await Deno.writeTextFile(join(folder, "file"), "x");
  await Deno.symlink("file", join(folder, "link"));
  await rejects(() => store.put("a", { file: join(folder, "link") }, "create"), "refused", /not a file/);
});

Deno.test("the root itself may be a symbolic link", async () => {
  await using opened = await open();
  await Deno.mkdir(join(opened.folder, "real"));
  await Deno.symlink("real", join(opened.folder, "alias"));
  const store = openLocalStore(join(opened.folder, "alias"));
  await store.put("shop/a", bytes("x"), "create");
  assert.equal(await Deno.readTextFile(join(opened.folder, "real/shop/a")), "x");
});

Deno.test("names that no key can have are not listed, nor are pipes", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await store.put("a", bytes("1"), "create");
  for (const name of ["a b", "é", "lost+found", "x.~1a2b"]) await Deno.writeTextFile(join(root, name), "");
  await new Deno.Command("mkfifo", { args: [join(root, "pipe")] }).output();
  assert.deepEqual((await store.list("")).entries.map((entry) => entry.name), ["a"]);
  await rejects(() => store.get("pipe"), "not_found", /not a file/);
});

Deno.test("a store that was never made is empty, and reading makes nothing", async () => {
  await using opened = await open();
  const { store, root } = opened;
  assert.deepEqual((await store.list("")).entries, []);
  assert.equal(await store.stat("a/b"), undefined);
  await store.delete("a/b");
  await rejects(() => store.get("a/b"), "not_found", /a\/b/);
  await assert.rejects(() => Deno.lstat(root), Deno.errors.NotFound);
});

Deno.test("a store that vanishes is unreachable for every call and is not made anew", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await store.put("a/b", bytes("1"), "create");
  await Deno.rename(root, `${root}-away`);
  await rejects(() => store.put("a/c", bytes("1"), "create"), "unreachable", /the store folder .* is gone/);
  await rejects(() => store.get("a/b"), "unreachable", /gone/);
  await rejects(() => store.stat("a/b"), "unreachable", /gone/);
  await rejects(() => store.list("a"), "unreachable", /gone/);
  await rejects(() => store.delete("a/b"), "unreachable", /gone/);
  await assert.rejects(() => Deno.lstat(root), Deno.errors.NotFound);
  await Deno.rename(`${root}-away`, root);
  assert.equal(await read(store, "a/b"), "1");
});

Deno.test("a file in the place of the store, or of a folder in it, is refused", async () => {
  await using opened = await open();
  const file = join(opened.folder, "file");
  await Deno.writeTextFile(file, "x");
  await rejects(() => openLocalStore(file).list(""), "refused", /is a file/);
  await rejects(() => openLocalStore(file).put("a", bytes(""), "create"), "refused", /is a file/);
  await opened.store.put("a", bytes("1"), "create");
  await rejects(() => opened.store.put("a/b", bytes(""), "create"), "refused", /is an object/);
  await opened.store.put("f/x", bytes("1"), "create");
  await rejects(() => opened.store.put("f", bytes(""), "create"), "exists", /exists/);
  await rejects(() => opened.store.put("f", bytes(""), "replace"), "exists", /folder/);
});

Deno.test("a name that the file system cannot hold is refused", async () => {
  await using opened = await open();
  await rejects(() => opened.store.put("x".repeat(300), bytes(""), "create"), "refused", /too long/);
  await rejects(() => opened.store.get("x".repeat(300)), "refused", /too long/);
});

Deno.test("an object that is cut while it is read fails the stream", async () => {
  await using opened = await open();
  const { store, root } = opened;
  await store.put("a", { bytes: new Uint8Array(4 << 20) }, "create");
  const reader = (await store.get("a")).getReader();
  await reader.read();
  await Deno.truncate(join(root, "a"), 1 << 20);
  await rejects(
    async () => {
      while (!(await reader.read()).done);
    },
    "io",
    /was cut/,
  );
});
