/**
 * The contract of `storage/storage.ts` as tests: a store that passes may be used for backups.
 *
 * A store's own test file calls {@linkcode storeConformance} and then tests only what is particular to it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { CairnError } from "../../errors.ts";
import type { Content, Entry, Store } from "../../storage/storage.ts";

/** An empty store for one test; disposing of it removes all traces. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
}

/** Registers the whole suite under `name`; `open` is called once for each test. */
export function storeConformance(name: string, open: () => Promise<OpenedStore>): void {
  const test = (sentence: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`${name}: ${sentence}`, async () => {
      await using opened = await open();
      await body(opened.store);
      await opened.store.close();
    });

  test("what was put is read back, under its size and a recent time", async (store) => {
    const before = Date.now();
    assert.equal(await store.put("shop/a.manifest.json", text("hello"), "create"), "created");
    assert.equal(await read(store, "shop/a.manifest.json"), "hello");
    const stat = await store.stat("shop/a.manifest.json");
    assert.equal(stat?.bytes, 5);
    assert.ok(Math.abs((stat?.modifiedAt.getTime() ?? 0) - before) < 60_000);
    const hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert.ok(stat?.sha256 === undefined || stat.sha256 === hash);
  });

  test("what is not there: stat is undefined, get throws not_found", async (store) => {
    assert.equal(await store.stat("nothing"), undefined);
    assert.equal(await store.stat("no/such/thing"), undefined);
    await rejects(() => store.get("nothing"), "not_found");
    await rejects(() => store.get("no/such/thing"), "not_found");
    await store.put("folder/x", text("x"), "create");
    assert.equal(await store.stat("folder"), undefined);
    await rejects(() => store.get("folder"), "not_found");
  });

  for (const kind of ["bytes", "file"] as const) {
    test(`create with equal ${kind} is "same", with others throws exists and changes nothing`, async (store) => {
      await using made = await contents(kind, ["one", "two", "longer than one"]);
      const [one, two, longer] = made.list;
      assert.ok(one && two && longer);
      assert.equal(await store.put("a/1", one, "create"), "created");
      assert.equal(await store.put("a/1", one, "create"), "same");
      assert.equal(await store.put("a/1", text("one"), "create"), "same");
      await rejects(() => store.put("a/1", two, "create"), "exists");
      await rejects(() => store.put("a/1", longer, "create"), "exists");
      assert.equal(await read(store, "a/1"), "one");
      assert.deepEqual(await names(store, "a"), ["1"]);
    });

    test(`replace with ${kind} puts a new object and another in the place of an old one`, async (store) => {
      await using made = await contents(kind, ["one", "two longer"]);
      const [one, two] = made.list;
      assert.ok(one && two);
      await store.put("a/1", one, "replace");
      assert.equal(await read(store, "a/1"), "one");
      await store.put("a/1", two, "replace");
      assert.equal(await read(store, "a/1"), "two longer");
      await store.put("a/1", two, "replace");
      assert.equal((await store.stat("a/1"))?.bytes, 10);
    });
  }

  test("a file that was put stays where it is, whole", async (store) => {
    await using made = await contents("file", ["kept"]);
    const [content] = made.list;
    assert.ok(content && "file" in content);
    await store.put("a/1", content, "create");
    await store.put("a/2", content, "replace");
    assert.equal(await Deno.readTextFile(content.file), "kept");
    await store.delete("a/1");
    assert.equal(await Deno.readTextFile(content.file), "kept");
    assert.equal(await read(store, "a/2"), "kept");
  });

  test("a file that is not there is not_found, and nothing is put", async (store) => {
    const file = join("/", "nonexistent", crypto.randomUUID());
    await rejects(() => store.put("a/1", { file }, "create"), "not_found");
    assert.equal(await store.stat("a/1"), undefined);
  });

  test("a reader beside replace sees the old object or the new one, whole", async (store) => {
    const old = "o".repeat(300_000);
    const fresh = "n".repeat(200_000);
    await store.put("a", text(old), "replace");
    let writing = true;
    const writer = (async () => {
      for (let turn = 0; turn < 20; turn++) await store.put("a", text(turn % 2 ? old : fresh), "replace");
      writing = false;
    })();
    while (writing) {
      const seen = await read(store, "a");
      assert.ok(seen === old || seen === fresh, `a mixed object of ${seen.length} bytes`);
    }
    await writer;
  });

  test("parallel creates of one name with other bytes: exactly one wins, whole", async (store) => {
    const bodies = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(10_000 + index));
    const outcomes = await Promise.allSettled(bodies.map((body) => store.put("a/b/1", text(body), "create")));
    const won = outcomes.flatMap((outcome, index) => outcome.status === "fulfilled" ? [index] : []);
    assert.equal(won.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") assert.equal(outcome.value, "created");
      else assert.equal(codeOf(outcome.reason), "exists");
    }
    assert.equal(await read(store, "a/b/1"), bodies[won[0] ?? -1]);
  });

  test("parallel creates of one name with equal bytes: one is created, the others are the same", async (store) => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => store.put("a/1", text("equal"), "create")),
    );
    assert.deepEqual(outcomes.toSorted(), ["created", ...Array(7).fill("same")]);
  });

  test("puts and deletes in one folder do not get in each other's way", async (store) => {
    await Promise.all(Array.from({ length: 12 }, async (_, index) => {
      for (let turn = 0; turn < 4; turn++) {
        await store.put(`deep/folder/${index}`, text(`${index}`), "create");
        await store.delete(`deep/folder/${index}`);
      }
      await store.put(`deep/folder/${index}`, text("last"), "create");
    }));
    assert.equal((await names(store, "deep/folder")).length, 12);
  });

  test("ranges: offset, length, both, to the end, over it and behind it", async (store) => {
    await store.put("a", text("0123456789"), "create");
    assert.equal(await read(store, "a", { offset: 3 }), "3456789");
    assert.equal(await read(store, "a", { length: 4 }), "0123");
    assert.equal(await read(store, "a", { offset: 3, length: 4 }), "3456");
    assert.equal(await read(store, "a", { offset: 8, length: 100 }), "89");
    assert.equal(await read(store, "a", { offset: 10 }), "");
    assert.equal(await read(store, "a", { offset: 11, length: 5 }), "");
    assert.equal(await read(store, "a", { offset: 2, length: 0 }), "");
    assert.equal(await read(store, "a", { offset: 9, length: 1 }), "9");
  });

  test("an object of no bytes is an object", async (store) => {
    await store.put("a", text(""), "create");
    assert.equal(await store.put("a", text(""), "create"), "same");
    assert.equal((await store.stat("a"))?.bytes, 0);
    assert.equal(await read(store, "a"), "");
    await rejects(() => store.put("a", text("x"), "create"), "exists");
  });

  test("an object of 8 MiB comes back equal, whole and in ranges, by any reader", async (store) => {
    const bytes = new Uint8Array(8 << 20);
    for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    await store.put("big/1", { bytes }, "create");
    assert.ok(equal(await drain(await store.get("big/1")), bytes));
    const middle = await drain(await store.get("big/1", { offset: 1_000_001, length: 5_000_003 }));
    assert.ok(equal(middle, bytes.subarray(1_000_001, 6_000_004)));
    assert.ok(equal(await drainByob(await store.get("big/1"), 100_003), bytes));
  });

  test("a stream that is cancelled in the middle lets go of everything", async (store) => {
    await store.put("a", { bytes: new Uint8Array(4 << 20) }, "create");
    const reader = (await store.get("a")).getReader();
    assert.equal((await reader.read()).done, false);
    await reader.cancel();
    await (await store.get("a")).cancel();
  });

  test("list shows one level in the order of bytes, folders and objects with their sizes", async (store) => {
    for (const key of ["b", "a.manifest", "B", "a/1/x", "a-b", "_", "0", "z/1", "a.b/2", "-"]) {
      await store.put(key, text(key), "create");
    }
    assert.deepEqual((await store.list("")).entries, [
      { kind: "object", name: "-", bytes: 1 },
      { kind: "object", name: "0", bytes: 1 },
      { kind: "object", name: "B", bytes: 1 },
      { kind: "object", name: "_", bytes: 1 },
      { kind: "folder", name: "a" },
      { kind: "object", name: "a-b", bytes: 3 },
      { kind: "folder", name: "a.b" },
      { kind: "object", name: "a.manifest", bytes: 10 },
      { kind: "object", name: "b", bytes: 1 },
      { kind: "folder", name: "z" },
    ]);
    assert.deepEqual((await store.list("a")).entries, [{ kind: "folder", name: "1" }]);
    assert.deepEqual((await store.list("a/1")).entries, [{ kind: "object", name: "x", bytes: 5 }]);
    const nothing = await store.list("nothing/here");
    assert.deepEqual([nothing.entries, nothing.next], [[], undefined]);
  });

  test("list is paged: every entry once, whatever the size of a page", async (store) => {
    const wanted = Array.from({ length: 23 }, (_, index) => `n${String(index).padStart(3, "0")}`);
    for (const name of wanted) {
      await store.put(`f/${name}${name.endsWith("5") ? "/x" : ""}`, text(""), "create");
    }
    for (const limit of [1, 5, 22, 23, 24, 1000]) {
      const seen: Entry[] = [];
      let after: string | undefined;
      do {
        const page = await store.list("f", after === undefined ? { limit } : { limit, after });
        assert.ok(page.entries.length <= limit);
        seen.push(...page.entries);
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(seen.map((entry) => entry.name), wanted);
    }
    assert.deepEqual((await names(store, "f", "n020"))[0], "n021");
    assert.deepEqual((await names(store, "f", "n0205"))[0], "n021");
    assert.deepEqual(await names(store, "f", "n022"), []);
    assert.equal((await store.list("f", { after: "z" })).next, undefined);
  });

  test("names with every allowed character work", async (store) => {
    for (
      const key of ["...", "..a", "a..", "-rf", "_", ".hidden", `${"x".repeat(200)}/.y`]
    ) {
      await store.put(key, text(key), "create");
      assert.equal(await read(store, key), key);
    }
    assert.deepEqual((await names(store, "")).slice(0, 3), ["-rf", "...", "..a"]);
  });

  test("delete removes the object and the folders it leaves empty, and can be repeated", async (store) => {
    await store.put("a/b/1", text("1"), "create");
    await store.put("a/b/2", text("2"), "create");
    await store.put("other", text(""), "create");
    await store.delete("a/b/1");
    assert.deepEqual(await names(store, "a/b"), ["2"]);
    await store.delete("a/b/1");
    await store.delete("a/b/2");
    assert.deepEqual(await names(store, ""), ["other"]);
    await store.delete("a/b/2");
    await store.delete("never/was/here");
    await store.delete("other");
    assert.deepEqual(await names(store, ""), []);
    assert.equal(await store.put("a/b/1", text("again"), "create"), "created");
  });

  test("delete of a folder's name deletes nothing", async (store) => {
    await store.put("a/b", text("1"), "create");
    await store.delete("a");
    assert.equal(await read(store, "a/b"), "1");
  });

  for (const key of FORGED) {
    test(`the key ${JSON.stringify(key.slice(0, 40))} is refused by every call`, async (store) => {
      await rejects(() => store.put(key, text("x"), "create"), "refused");
      await rejects(() => store.put(key, text("x"), "replace"), "refused");
      await rejects(() => store.get(key), "refused");
      await rejects(() => store.stat(key), "refused");
      await rejects(() => store.delete(key), "refused");
      if (key !== "") await rejects(() => store.list(key), "refused");
    });
  }

  test("a call whose signal is aborted rejects with the signal's reason and changes nothing", async (store) => {
    await store.put("a", text("a"), "create");
    const reason = new CairnError("interrupted", "stopped by a test");
    const signal = AbortSignal.abort(reason);
    const calls: (() => Promise<unknown>)[] = [
      () => store.put("b", text("b"), "create", { signal }),
      () => store.put("a", text("b"), "replace", { signal }),
      () => store.get("a", { signal }),
      () => store.stat("a", { signal }),
      () => store.list("", { signal }),
      () => store.delete("a", { signal }),
    ];
    for (const call of calls) await assert.rejects(call, (thrown) => thrown === reason);
    assert.deepEqual(await names(store, ""), ["a"]);
    assert.equal(await read(store, "a"), "a");
  });

  test("a stream whose signal is aborted fails with the reason instead of ending", async (store) => {
    await store.put("a", { bytes: new Uint8Array(8 << 20) }, "create");
    const stop = new AbortController();
    const reader = (await store.get("a", { signal: stop.signal })).getReader();
    assert.equal((await reader.read()).done, false);
    const reason = new CairnError("interrupted", "stopped by a test");
    stop.abort(reason);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, (thrown) => thrown === reason);
  });

  test("its address can be shown and has no credentials", (store) => {
    assert.ok(store.url.length > 0);
    assert.doesNotMatch(store.url, /:\/\/[^/]*@/);
    return Promise.resolve();
  });
}

/** Keys that no store may accept. */
const FORGED = [
  "",
  "/",
  "/x",
  "x/",
  "..",
  ".",
  "../x",
  "a/../b",
  "a/./b",
  "a//b",
  "a\0b",
  "a\\b",
  "a b",
  "a\n",
  "é",
  "a~b",
  "a:b",
  "%2e%2e/x",
  `${"a".repeat(255)}/`.repeat(4) + "b",
];

function text(value: string): Content {
  return { bytes: new TextEncoder().encode(value) };
}

/** The same bodies as bytes or as private files. */
async function contents(
  kind: "bytes" | "file",
  bodies: readonly string[],
): Promise<AsyncDisposable & { readonly list: readonly Content[] }> {
  if (kind === "bytes") return { list: bodies.map(text), [Symbol.asyncDispose]: () => Promise.resolve() };
  const folder = await Deno.makeTempDir();
  const list: Content[] = [];
  for (const [index, body] of bodies.entries()) {
    const file = join(folder, String(index));
    await Deno.writeTextFile(file, body, { mode: 0o600 });
    list.push({ file });
  }
  return { list, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function names(store: Store, folder: string, after = ""): Promise<string[]> {
  return (await store.list(folder, { after })).entries.map((entry) => entry.name);
}

async function read(
  store: Store,
  key: string,
  range: { offset?: number; length?: number } = {},
): Promise<string> {
  return new TextDecoder().decode(await drain(await store.get(key, range)));
}

async function drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function drainByob(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  chunkBytes: number,
): Promise<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  const chunks: Uint8Array[] = [];
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(chunkBytes));
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
  }
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof CairnError ? thrown.code : `not a CairnError: ${thrown}`;
}

async function rejects(call: () => Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(call, (thrown) => {
    assert.equal(codeOf(thrown), code);
    return true;
  });
}
