import assert from "node:assert/strict";
import { makeSample, sampleChecksum } from "../../../adapters/sqlite/sample.ts";
import { CairnError } from "../../../errors.ts";
import { createLiveSqlite, liveAddress, type LiveFault } from "../../doubles/live_sqlite.ts";
import { filesUnder } from "../files.ts";
import { openTestPlace, type TestPlace } from "../workplace.ts";

/** A place whose database is dumped live, with a fault in some of the dumps. */
async function openLivePlace(fault: (attempt: number) => LiveFault | undefined, stallMilliseconds = 60_000) {
  const adapter = createLiveSqlite({ fault });
  const notes: string[] = [];
  const place = await openTestPlace(
    { adapter: () => adapter, stallMilliseconds, takePauseMilliseconds: 1 },
    (event) => void (event.kind === "note" && notes.push(event.message ?? "")),
  );
  makeSample(place.path("app.db"), 3000);
  const changes = { source: liveAddress(place.path("app.db")), partBytes: 16_384 };
  return { place, notes, backup: () => place.backup(place.path("app.db"), changes) };
}

async function assertEqualAfterRestore(place: TestPlace, artifact: Awaited<ReturnType<TestPlace["backup"]>>) {
  await place.restore(artifact, place.path("restored.db"), {
    target: liveAddress(place.path("restored.db")),
  });
  assert.equal(sampleChecksum(place.path("restored.db")), sampleChecksum(place.path("app.db")));
}

Deno.test("a live dump is made of several parts and restores equal", async () => {
  const { place, backup } = await openLivePlace(() => undefined);
  await using _ = place;
  const artifact = await backup();
  assert.equal(artifact.takes, 1);
  assert.ok(artifact.parts > 3, `only ${artifact.parts} parts`);
  await assertEqualAfterRestore(place, artifact);
});

const faults: [string, LiveFault][] = [
  ["ends with an exit status", { kind: "status" }],
  ["is killed in the middle", { kind: "killed", afterBytes: 200_000 }],
  ["ends early with status 0", { kind: "truncated", afterBytes: 200_000 }],
];
for (const [what, fault] of faults) {
  Deno.test(`a dump that ${what} is never recorded: the next take is, under a name of its own`, async () => {
    const { place, notes, backup } = await openLivePlace((attempt) => attempt === 1 ? fault : undefined);
    await using _ = place;
    const artifact = await backup();
    assert.equal(artifact.takes, 2);
    assert.match(notes.join("\n"), /take 2/);
    const stored = await filesUnder(place.store);
    assert.ok(stored.every((name) => name.includes(artifact.id)), stored.join("\n"));
    await assertEqualAfterRestore(place, artifact);
  });
}

Deno.test("a dump that gives nothing while it is read is ended, and taken again", async () => {
  const { place, backup } = await openLivePlace(
    (attempt) => attempt === 1 ? { kind: "stalled", afterBytes: 100_000 } : undefined,
    300,
  );
  await using _ = place;
  assert.equal((await backup()).takes, 2);
});

Deno.test("when every take fails the run fails, and the store holds nothing of it", async () => {
  const { place, backup } = await openLivePlace(() => ({ kind: "status" }));
  await using _ = place;
  await assert.rejects(backup(), (error) => error instanceof CairnError && error.code === "tool_failed");
  const [run] = await place.engine.runs({ unfinished: true });
  assert.equal(run?.status, "failed");
  await place.engine.cancel(run?.id ?? "");
  assert.deepEqual((await filesUnder(place.store)).filter((name) => /\d{8}T/.test(name)), []);
});
