import assert from "node:assert/strict";
import { CairnError } from "../../errors.ts";
import { openSqliteHarness } from "../adapters/sqlite_harness.ts";
import { adapterConformance } from "../conformance/adapter.ts";
import { backUp } from "../conformance/adapter_harness.ts";
import { createLiveSqlite, type LiveFault } from "./live_sqlite.ts";

const open = (fault?: LiveFault) =>
  openSqliteHarness({
    adapter: createLiveSqlite({ fault: () => fault }),
    journalMode: "delete",
    // A dump of sqlite3 keeps no settings.
    settings: [],
    selectsOnLoad: false,
    loadsInPlace: true,
  });

adapterConformance("live-sqlite", () => open());

const faults: Record<string, [LiveFault, RegExp]> = {
  "ends with a status": [{ kind: "status" }, /status 3/],
  "is killed": [{ kind: "killed", afterBytes: 1000 }, /SIGKILL/],
  "ends too early with status 0": [{ kind: "truncated", afterBytes: 100_000 }, /without its last line/],
};

for (const [what, [fault, message]] of Object.entries(faults)) {
  Deno.test(`live-sqlite: a dump whose process ${what} is no dump`, async () => {
    await using harness = await open(fault);
    await assert.rejects(backUp(harness, await harness.create("filled")), (error) => {
      assert.ok(error instanceof CairnError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("live-sqlite: a stalled dump delivers nothing until it is aborted", async () => {
  await using harness = await open({ kind: "stalled", afterBytes: 1 });
  const source = await harness.create("filled");
  const selection = { tables: [], excludeTables: [] };
  const stop = new AbortController();
  const request = { folder: harness.folder, selection, signal: stop.signal, progress() {} };
  const snapshot = await harness.adapter.snapshot(source, request);
  const dump = harness.adapter.dump(source, snapshot, { offset: 0, selection, signal: stop.signal });
  const reader = dump.stream.getReader();
  await reader.read();
  const second = reader.read();
  const reason = new Error("no progress");
  stop.abort(reason);
  await assert.rejects(second, reason);
  await assert.rejects(dump.finished, reason);
});
