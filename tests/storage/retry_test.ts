import assert from "node:assert/strict";
import { CairnError } from "../../errors.ts";
import { openLocalStore } from "../../storage/local.ts";
import { retryingStore, type RetryOptions } from "../../storage/retry.ts";
import { type FaultyStore, faultyStore, type Rule } from "../doubles/store_faulty.ts";
import { storeConformance } from "../conformance/store.ts";

interface Opened extends AsyncDisposable {
  readonly inner: FaultyStore;
  readonly waits: number[];
  readonly store: ReturnType<typeof retryingStore>;
}

async function open(rules: readonly Rule[], options: RetryOptions = {}): Promise<Opened> {
  const folder = await Deno.makeTempDir();
  const inner = faultyStore(openLocalStore(folder), { rules });
  const waits: number[] = [];
  const wait = (milliseconds: number) => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  return {
    inner,
    waits,
    store: retryingStore(inner, { random: () => 1, wait, ...options }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const CALLS = ["put", "get", "stat", "list", "delete"] as const;
const FIRST_FAIL = CALLS.map((call) => ({ call, nth: 1, times: 3, fault: { kind: "error" } as const }));

storeConformance("retrying", () => open([]));
storeConformance("retrying, when the first calls fail", () => open(FIRST_FAIL));

const content = { bytes: new TextEncoder().encode("content") };

Deno.test("a put that fails thrice and then works is put once, after growing waits", async () => {
  await using opened = await open([{ call: "put", nth: 1, times: 3, fault: { kind: "error" } }]);
  assert.equal(await opened.store.put("a", content, "create"), "created");
  assert.deepEqual(opened.waits, [250, 500, 1000]);
  assert.deepEqual(opened.inner.calls, Array(4).fill("put a"));
});

Deno.test("a put whose answer was lost is found to be done", async () => {
  await using opened = await open([{ call: "put", nth: 1, fault: { kind: "error-after" } }]);
  assert.equal(await opened.store.put("a", content, "create"), "same");
});

Deno.test("waits stop growing at the limit and are random below it", async () => {
  await using opened = await open([{ call: "stat", nth: 1, times: 99, fault: { kind: "error" } }], {
    retries: 5,
    firstMilliseconds: 100,
    maxMilliseconds: 300,
    random: () => 0.5,
  });
  await assert.rejects(() => opened.store.stat("a"), { code: "unreachable" });
  assert.deepEqual(opened.waits, [50, 100, 150, 150, 150]);
});

Deno.test("an error that does not pass is thrown at once", async () => {
  const error = new CairnError("permission", "no");
  await using opened = await open([{ call: "put", nth: 1, fault: { kind: "error", error } }]);
  await assert.rejects(() => opened.store.put("a", content, "create"), (thrown) => thrown === error);
  assert.deepEqual(opened.waits, []);
  await assert.rejects(() => opened.store.get("a"), { code: "not_found" });
  assert.deepEqual(opened.waits, []);
});

Deno.test("a stream that breaks is not begun again", async () => {
  await using opened = await open([{
    call: "get",
    nth: 1,
    fault: { kind: "short", bytes: 3, ending: "fails" },
  }]);
  await opened.store.put("a", content, "create");
  const stream = await opened.store.get("a");
  await assert.rejects(() => new Response(stream).text(), { code: "unreachable" });
  assert.deepEqual(opened.inner.calls, ["put a", "get a"]);
});

Deno.test("an abort during the wait ends it with the signal's reason", async () => {
  const folder = await Deno.makeTempDir();
  const stop = new AbortController();
  const reason = new CairnError("interrupted", "stopped");
  const store = retryingStore(
    faultyStore(openLocalStore(folder), {
      rules: [{ call: "stat", nth: 1, times: 9, fault: { kind: "error" } }],
    }),
    {
      firstMilliseconds: 3_600_000,
      maxMilliseconds: 3_600_000,
      random: () => 1,
      onRetry: () => queueMicrotask(() => stop.abort(reason)),
    },
  );
  await assert.rejects(() => store.stat("a", { signal: stop.signal }), (thrown) => thrown === reason);
  await Deno.remove(folder, { recursive: true });
});
