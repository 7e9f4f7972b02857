/**
 * The contract of an adapter (`adapters/adapter.ts`) as tests: each engine supplies a harness and runs all of them.
 */
import assert from "node:assert/strict";
import type { Selection } from "../../adapters/adapter.ts";
import { CairnError } from "../../errors.ts";
import {
  type AdapterHarness,
  assertCode,
  type Backup,
  backUp,
  EVERYTHING,
  failing,
  isCausedBy,
  live,
  load,
  readAll,
  readToEnd,
  request,
  restore,
  stalling,
  streamOf,
  takeSnapshot,
  viaJournal,
} from "./adapter_harness.ts";

const ONLY_NOTE: Selection = { tables: ["note"], excludeTables: [] };

/** Registers the tests of the contract. */
export function adapterConformance(name: string, open: () => Promise<AdapterHarness>): void {
  const test = (behaviour: string, run: (harness: AdapterHarness) => Promise<void>) =>
    Deno.test(`${name}: ${behaviour}`, async () => {
      await using harness = await open();
      await run(harness);
    });

  test("ping tells the version and the size, and changes nothing", async (h) => {
    const source = await h.create("filled");
    const before = await h.leftovers();
    const ping = await h.adapter.ping(source, live());
    assert.match(ping.engineVersion, /\d+\.\d+/);
    assert.ok(ping.bytes > 0 && ping.latencyMilliseconds > 0);
    assert.deepEqual(await h.leftovers(), before);
  });

  test("ping and snapshot of a database that is not there say so", async (h) => {
    const nowhere = await h.missing();
    await assertCode("not_found", h.adapter.ping(nowhere, live()));
    await assertCode("not_found", takeSnapshot(h, nowhere));
    assert.deepEqual(await h.adapter.inspect(nowhere, live()), { state: "missing" });
  });

  test("a restore to a new place has the content of the source", async (h) => {
    const source = await h.create("filled");
    const target = await h.missing();
    await restore(h, await backUp(h, source), target);
    assert.deepEqual(await h.read(target), await h.read(source));
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a database without tables is restored as one", async (h) => {
    const source = await h.create("bare");
    const target = await h.missing();
    await restore(h, await backUp(h, source), target);
    assert.deepEqual(await h.read(target), await h.read(source));
  });

  test("a restore into an empty database needs no overwrite", async (h) => {
    const source = await h.create("filled");
    const target = await h.create("bare");
    assert.deepEqual(await h.adapter.inspect(target, live()), { state: "empty" });
    await restore(h, await backUp(h, source), target);
    assert.deepEqual(await h.read(target), await h.read(source));
  });

  test("a target with content is refused and stays as it is", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.create("other");
    const before = await h.read(target);
    assert.equal((await h.adapter.inspect(target, live())).state, "filled");
    await assertCode("target_exists", restore(h, backup, target));
    assert.deepEqual(await h.read(target), before);
    assert.deepEqual(await h.leftovers(), []);
  });

  test("with overwrite the target has the content of the source and nothing else", async (h) => {
    const source = await h.create("filled");
    const target = await h.create("other");
    await restore(h, await backUp(h, source), target, { overwrite: true });
    assert.deepEqual(await h.read(target), await h.read(source));
  });

  test("a backup beside busy writers is of one point in time, and fails no writer", async (h) => {
    const source = await h.create("filled");
    const total = await h.total(source);
    const writer = await h.startWriter(source);
    const backups: Backup[] = [];
    try {
      for (let round = 0; round < 3; round++) {
        backups.push(await backUp(h, source, EVERYTHING, `round-${round}`));
      }
    } finally {
      assert.ok(await writer.stop() > 0);
    }
    for (const backup of backups) {
      const target = await h.missing();
      await restore(h, backup, target);
      assert.equal(await h.total(target), total);
    }
  });

  test("the row counts of a snapshot are those of its dump", async (h) => {
    const source = await h.create("filled");
    const { snapshot } = await backUp(h, source);
    if (!snapshot.frozen) return;
    assert.deepEqual(snapshot.tables.map((table) => table.name).sort(), [...await h.tables(source)].sort());
    assert.ok(snapshot.tables.some((table) => table.rows > 0));
  });

  test("a frozen dump can be read again from any offset", async (h) => {
    const source = await h.create("filled");
    const { snapshot, bytes } = await backUp(h, source);
    if (!snapshot.frozen) return;
    assert.equal(bytes.length, snapshot.plainBytes);
    for (const offset of [0, 1, Math.floor(bytes.length / 2), bytes.length]) {
      const dump = h.adapter.dump(source, snapshot, { offset, selection: EVERYTHING, signal: live() });
      assert.deepEqual(await readAll(dump), bytes.slice(offset));
    }
  });

  test("a dump is a byte stream", async (h) => {
    const source = await h.create("filled");
    const snapshot = await takeSnapshot(h, source);
    const dump = h.adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    const reader = dump.stream.getReader({ mode: "byob" });
    let bytes = 0;
    for (let buffer = new Uint8Array(1000);;) {
      const { value, done } = await reader.read(buffer);
      if (done) break;
      bytes += value.length;
      buffer = new Uint8Array(value.buffer);
    }
    await dump.finished;
    assert.ok(bytes > 0);
  });

  test("a dump that is given up rejects and lets go of everything", async (h) => {
    const source = await h.create("filled");
    const snapshot = await takeSnapshot(h, source);
    const dump = h.adapter.dump(source, snapshot, { offset: 0, selection: EVERYTHING, signal: live() });
    const reader = dump.stream.getReader();
    await reader.read();
    await reader.cancel(new Error("enough"));
    await assert.rejects(dump.finished);
  });

  test("a stream that fails leaves a new place empty", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.missing();
    for (const share of [0, 0.5, 1]) {
      const failure = new Error("the store went away");
      await assert.rejects(
        load(h, backup, target, {}, failing(backup.bytes, share, failure)),
        isCausedBy(failure),
      );
      assert.notEqual((await h.adapter.inspect(target, live())).state, "filled");
    }
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a stream that fails leaves existing content as it is", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.create("other");
    const before = await h.read(target);
    for (const share of [0, 0.5, 1]) {
      const failure = new Error("the store went away");
      const attempt = load(h, backup, target, { overwrite: true }, failing(backup.bytes, share, failure));
      await assert.rejects(attempt, isCausedBy(failure));
    }
    assert.deepEqual(await h.read(target), before);
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a stream that ends too early is not taken for a dump", async (h) => {
    const backup = await backUp(h, await h.create("filled"));
    const target = await h.missing();
    const cut = backup.bytes.slice(0, Math.floor(backup.bytes.length / 2));
    await assert.rejects(load(h, backup, target, {}, streamOf(cut)), CairnError);
    assert.notEqual((await h.adapter.inspect(target, live())).state, "filled");
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a dump of another engine is refused", async (h) => {
    const target = await h.missing();
    const plain = streamOf(new Uint8Array(10));
    await assertCode("refused", h.adapter.load(target, "no-such-format", plain, request(h)));
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a load whose result was lost is made again", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    for (const target of [await h.missing(), await h.create("bare")]) {
      await load(h, backup, target);
      await restore(h, backup, target);
      assert.deepEqual(await h.read(target), await h.read(source));
    }
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a commit whose result was lost is made again", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const targets = [[await h.missing(), false], [await h.create("bare"), false], [
      await h.create("other"),
      true,
    ]] as const;
    for (const [target, overwrite] of targets) {
      const loaded = viaJournal(await load(h, backup, target, { overwrite }));
      for (let time = 0; time < 3; time++) await h.adapter.commit(target, loaded, request(h, { overwrite }));
      assert.deepEqual(await h.read(target), await h.read(source));
    }
    assert.deepEqual(await h.leftovers(), []);
  });

  test("discard removes what a load left, and nothing that is committed", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const target = await h.missing();
    const discard = () => h.adapter.discard(target, { run: "run-1", signal: live() });
    await discard();
    await load(h, backup, target);
    await discard();
    await discard();
    assert.notEqual((await h.adapter.inspect(target, live())).state, "filled");
    assert.deepEqual(await h.leftovers(), []);
    await restore(h, backup, target);
    await discard();
    assert.deepEqual(await h.read(target), await h.read(source));
  });

  test("a signal that is aborted already starts nothing", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const target = await h.missing();
    const reason = new CairnError("interrupted", "stopped by a test");
    const signal = AbortSignal.abort(reason);
    const folder = await Deno.makeTempDir({ dir: h.folder });
    await assert.rejects(h.adapter.ping(source, signal), reason);
    await assert.rejects(
      h.adapter.snapshot(source, { folder, selection: EVERYTHING, signal, progress() {} }),
      reason,
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    const dump = h.adapter.dump(source, backup.snapshot, { offset: 0, selection: EVERYTHING, signal });
    await assert.rejects(readAll(dump), reason);
    await assert.rejects(dump.finished, reason);
    await assert.rejects(h.adapter.inspect(target, signal), reason);
    await assert.rejects(load(h, backup, target, { signal }), reason);
    const loaded = await load(h, backup, target);
    await assert.rejects(h.adapter.commit(target, loaded, request(h, { signal })), reason);
    await h.adapter.discard(target, { run: "run-1", signal: live() });
    assert.deepEqual(await h.leftovers(), []);
  });

  test("an abort in the middle ends a snapshot, a dump and a load, and leaves nothing", async (h) => {
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const reason = new CairnError("interrupted", "stopped by a test");

    const folder = await Deno.makeTempDir({ dir: h.folder });
    const during = new AbortController();
    const snapshot = h.adapter.snapshot(source, {
      folder,
      selection: EVERYTHING,
      signal: during.signal,
      progress: () => during.abort(reason),
    });
    queueMicrotask(() => during.abort(reason));
    await assert.rejects(snapshot, reason);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);

    const reading = new AbortController();
    const dump = h.adapter.dump(source, backup.snapshot, {
      offset: 0,
      selection: EVERYTHING,
      signal: reading.signal,
    });
    const reader = dump.stream.getReader({ mode: "byob" });
    await reader.read(new Uint8Array(10));
    reading.abort(reason);
    await assert.rejects(readToEnd(reader), reason);
    await assert.rejects(dump.finished, reason);

    const loading = new AbortController();
    const target = await h.missing();
    const half = stalling(
      backup.bytes.slice(0, Math.floor(backup.bytes.length / 2)),
      () => loading.abort(reason),
    );
    await assert.rejects(load(h, backup, target, { signal: loading.signal }, half), reason);
    assert.notEqual((await h.adapter.inspect(target, live())).state, "filled");
    await h.adapter.discard(target, { run: "run-1", signal: live() });
    assert.deepEqual(await h.leftovers(), []);
  });

  test("a backup of a selection has only those tables", async (h) => {
    const source = await h.create("filled");
    const names = await h.tables(source);
    const but: Selection = { tables: [], excludeTables: ["note"] };
    for (const selection of [ONLY_NOTE, but]) {
      const target = await h.missing();
      await restore(h, await backUp(h, source, selection), target);
      const wanted = names.filter((table) => (table === "note") === (selection === ONLY_NOTE));
      assert.deepEqual([...await h.tables(target)].sort(), wanted.sort());
    }
  });

  test("a backup of a table that is not there says so", async (h) => {
    const source = await h.create("filled");
    const error = await assertCode(
      "not_found",
      takeSnapshot(h, source, { tables: ["notr"], excludeTables: [] }),
    );
    assert.match(error.hint ?? "", /note/);
  });

  test("a restore of a selection takes only those tables", async (h) => {
    if (!h.selectsOnLoad) return;
    const source = await h.create("filled");
    const backup = await backUp(h, source);
    const fresh = await h.missing();
    await restore(h, backup, fresh, { selection: ONLY_NOTE });
    assert.deepEqual(await h.tables(fresh), ["note"]);
    const target = await h.create("other");
    for (let time = 0; time < 2; time++) {
      await restore(h, backup, target, { selection: ONLY_NOTE, overwrite: true });
      assert.deepEqual([...await h.tables(target)].sort(), ["note", "other"]);
    }
    const wrong = load(h, backup, await h.missing(), { selection: { tables: ["notes"], excludeTables: [] } });
    assert.match((await assertCode("not_found", wrong)).hint ?? "", /note/);
    assert.deepEqual(await h.leftovers(), []);
  });
}
