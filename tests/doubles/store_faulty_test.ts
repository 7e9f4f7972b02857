import assert from "node:assert/strict";
import { join } from "node:path";
import { openLocalStore } from "../../storage/local.ts";
import { storeConformance } from "../conformance/store.ts";
import { faultyStore, namesWithTwoContents, readPuts, type Rule } from "./store_faulty.ts";

async function open(...rules: Rule[]) {
  const folder = await Deno.makeTempDir();
  const record = join(folder, "record");
  return {
    record,
    store: faultyStore(openLocalStore(join(folder, "store")), { rules, record }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

storeConformance("faulty without faults", () => open());

const content = { bytes: new TextEncoder().encode("0123456789") };
const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => await new Response(stream).text();

Deno.test("only the call that was meant fails: its kind, its key, its number", async () => {
  await using opened = await open({ call: "put", key: /^a/, nth: 2, fault: { kind: "error" } });
  const { store } = opened;
  await store.put("b1", content, "create");
  await store.put("a1", content, "create");
  await assert.rejects(() => store.put("a2", content, "create"), { code: "unreachable" });
  assert.equal(await store.stat("a2"), undefined);
  await store.put("a2", content, "create");
  assert.deepEqual(store.calls, ["put b1", "put a1", "put a2", "stat a2", "put a2"]);
});

Deno.test("an error after the call leaves its effect", async () => {
  await using opened = await open({ call: "put", nth: 1, fault: { kind: "error-after" } });
  await assert.rejects(() => opened.store.put("a", content, "create"), { code: "unreachable" });
  assert.equal(await opened.store.put("a", content, "create"), "same");
});

Deno.test("a short body ends, or fails, after its bytes", async () => {
  await using opened = await open(
    { call: "get", nth: 1, fault: { kind: "short", bytes: 4, ending: "ends" } },
    { call: "get", nth: 2, fault: { kind: "short", bytes: 4, ending: "fails" } },
  );
  await opened.store.put("a", content, "create");
  assert.equal(await read(await opened.store.get("a")), "0123");
  const failing = (await opened.store.get("a")).getReader();
  assert.equal(new TextDecoder().decode((await failing.read()).value), "0123");
  await assert.rejects(() => failing.read(), { code: "unreachable" });
  assert.equal(await read(await opened.store.get("a")), "0123456789");
});

Deno.test("a delayed call waits until it is released", async () => {
  const { promise: until, resolve: release } = Promise.withResolvers<void>();
  const { promise: waiting, resolve: reached } = Promise.withResolvers<void>();
  await using opened = await open({ call: "put", nth: 1, fault: { kind: "delay", until, reached } });
  const put = opened.store.put("a", content, "create");
  await waiting;
  assert.equal(await opened.store.stat("a"), undefined);
  release();
  assert.equal(await put, "created");
});

Deno.test("a name that was given two contents is found, in memory and on disk", async () => {
  await using opened = await open();
  const { store, record } = opened;
  await store.put("a", content, "create");
  await store.put("a", content, "create");
  await store.put("r", content, "replace");
  await store.put("r", { bytes: new Uint8Array(1) }, "replace");
  assert.deepEqual(namesWithTwoContents(store.puts), []);
  await assert.rejects(() => store.put("a", { bytes: new Uint8Array(1) }, "create"), { code: "exists" });
  assert.deepEqual(namesWithTwoContents(store.puts), ["a"]);
  assert.deepEqual(await readPuts(record), store.puts);
});

for (const when of ["before", "after"] as const) {
  Deno.test(`a kill ${when} the call takes the process with it`, async () => {
    const folder = await Deno.makeTempDir();
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = join(folder, "script.ts");
    await Deno.writeTextFile(
      script,
      `import { faultyStore } from ${at("store_faulty.ts")};
      import { openLocalStore } from ${at("../../storage/local.ts")};
      const rules = [{ call: "put", nth: 1, fault: { kind: "kill", when: "${when}" } }] as const;
      await faultyStore(openLocalStore(${JSON.stringify(folder)}), { rules })
        .put("a", { bytes: new Uint8Array(3) }, "create");`,
    );
    const { signal } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-check", script],
      stderr: "null",
    }).output();
    assert.equal(signal, "SIGKILL");
    assert.equal((await openLocalStore(folder).stat("a"))?.bytes, when === "after" ? 3 : undefined);
    await Deno.remove(folder, { recursive: true });
  });
}
