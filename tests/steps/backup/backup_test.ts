import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeSample } from "../../../adapters/sqlite/sample.ts";
import { CairnError } from "../../../errors.ts";
import { makeId } from "../../../steps/artifact.ts";
import { readArtifact } from "../../../steps/read_artifact.ts";
import { generateIdentity } from "../../../streams/age.ts";
import { filesUnder } from "../files.ts";
import { openTestPlace, type TestPlace } from "../workplace.ts";

const NO_KEYS = { identities: [], passphrase: null };

/** All that a finished backup may have left: the artifact, and the state of Cairn itself. */
async function assertNothingElse(place: TestPlace, artifact: { id: string; parts: number; codec: string }) {
  const names = (await filesUnder(place.store)).filter((name) => !name.includes(artifact.id));
  assert.deepEqual(names, []);
  const own = (await filesUnder(place.store)).filter((name) => name.includes(artifact.id));
  assert.equal(own.length, artifact.parts + 2, own.join("\n"));
  assert.deepEqual((await filesUnder(place.home)).filter((name) => /(spool|locks)\/.|~/.test(name)), []);
}

Deno.test("a backup is whole, verifies, restores equal, and leaves nothing else behind", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 2000);
  const artifact = await place.backup(place.path("app.db"));
  assert.ok(artifact.parts > 2, `only ${artifact.parts} parts`);
  await assertNothingElse(place, artifact);
  await place.verify(artifact);
  await place.restore(artifact, place.path("restored.db"));
  const found = { ...artifact, label: "app" };
  const { manifest, opened } = await readArtifact(
    place.environment,
    found,
    NO_KEYS,
    AbortSignal.timeout(10_000),
  );
  const restored = await Deno.readFile(place.path("restored.db"));
  assert.equal(createHash("sha256").update(restored).digest("hex"), opened?.plainSha256);
  assert.equal(manifest.plainBytes, restored.length);
  assert.deepEqual(opened?.tables, [{ name: "customer", rows: 200 }, { name: "order", rows: 2000 }]);
});

for (const codec of ["zstd", "gzip", "none"] as const) {
  // A passphrase is slow on purpose: once is enough.
  for (
    const mode of codec === "zstd"
      ? ["none", "recipients", "passphrase"] as const
      : ["none", "recipients"] as const
  ) {
    Deno.test(`codec ${codec}, encryption ${mode}: the command in the manifest restores it without Cairn`, async () => {
      await using place = await openTestPlace();
      makeSample(place.path("app.db"), 500);
      const { identity, recipient } = await generateIdentity();
      await Deno.writeTextFile(place.path("key.txt"), `${identity}\n`);
      await Deno.writeTextFile(place.path("passphrase"), "correct horse\n");
      const secret = { file: place.path("passphrase") };
      const artifact = await place.backup(place.path("app.db"), {
        codec,
        level: codec === "none" ? 0 : 3,
        encryption: mode === "none"
          ? { mode }
          : mode === "recipients"
          ? { mode, recipients: [recipient] }
          : { mode, passphrase: secret },
      });
      const keys = { identities: [place.path("key.txt")], passphrase: secret };
      const read = await readArtifact(place.environment, artifact, keys, AbortSignal.timeout(10_000));
      await restoresByHand(place, read.manifest.restore, read.opened?.plainSha256);
    });
  }
}

/** Runs the command as it stands, in bash at a terminal of its own, because stock `age` asks for passphrases there. */
async function restoresByHand(place: TestPlace, command: string, sha256: string | undefined) {
  await Deno.writeTextFile(place.path("by-hand.sh"), command);
  const child = new Deno.Command("script", {
    args: ["-qec", `bash ${place.path("by-hand.sh")}`, "/dev/null"],
    cwd: `${place.store}/app`,
    env: { KEY: place.path("key.txt"), OUT: place.path("by-hand.db") },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const typed = child.stdin.getWriter();
  await typed.write(new TextEncoder().encode("correct horse\n"));
  const { success, stdout } = await child.output();
  await typed.close().catch(() => {});
  assert.ok(success, new TextDecoder().decode(stdout));
  const bytes = await Deno.readFile(place.path("by-hand.db"));
  assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
}

Deno.test("another database under a derived label is refused, under a given one it is marked as moved", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  makeSample(place.path("other.db"), 10);
  await place.backup(place.path("app.db"));
  await assert.rejects(
    place.backup(place.path("other.db")),
    (error) => error instanceof CairnError && error.code === "refused" && /--label/.test(error.hint ?? ""),
  );
  const moved = await place.backup(place.path("other.db"), { labelOrigin: "given" });
  assert.match(moved.warnings.join(), /belonged to another database/);
  const { manifest } = await readArtifact(place.environment, moved, NO_KEYS, AbortSignal.timeout(10_000));
  assert.equal(manifest.moved, true);
});

Deno.test("when the clock was set back the next artifact still sorts behind the newest", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const first = await place.backup(place.path("app.db"));
  const future = makeId(Date.now() + 3_600_000);
  await Deno.writeTextFile(`${place.store}/app/${future}.open`, "{}");
  const second = await place.backup(place.path("app.db"));
  assert.ok(first.id < future && future < second.id, `${first.id}, ${future}, ${second.id}`);
});

Deno.test("a run that waited while another backup was made is named after its own time, and no clock is blamed", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const job = await place.backupJob(place.path("app.db"));
  const early = `backup-${makeId(Date.now() - 60_000)}`;
  await place.engine.create(place.workflows.backup, job, { id: early, label: "app", locks: [] });
  const other = await place.backup(place.path("app.db"));
  const notes: string[] = [];
  await place.engine.execute(early, {
    onEvent: (event) => event.kind === "note" && notes.push(event.message ?? ""),
  });
  const manifests = (await filesUnder(place.store)).filter((name) => name.endsWith(".manifest.json")).sort();
  assert.equal(manifests.length, 2);
  assert.equal(manifests[0], other.manifest);
  assert.deepEqual(notes, []);
});

Deno.test("a catalog that cannot be written does not fail a backup that stands", async () => {
  const notes: string[] = [];
  await using place = await openTestPlace(
    {},
    (event) => event.kind === "note" && notes.push(event.message ?? ""),
  );
  makeSample(place.path("app.db"), 10);
  await Deno.mkdir(`${place.home}/catalog.db`);
  const artifact = await place.backup(place.path("app.db"));
  await place.verify(artifact);
  assert.match(notes.join(), /the catalog does not have this backup yet/);
});

Deno.test("a cancelled backup leaves the store as it was", async () => {
  await using place = await openTestPlace({}, () => {});
  makeSample(place.path("app.db"), 2000);
  const kept = await place.backup(place.path("app.db"));
  const before = await filesUnder(place.store);
  const failing = await openTestPlace({
    async openStore(url) {
      const store = await place.environment.openStore(url);
      const refuse = () => Promise.reject(new CairnError("no_space", "the disk is full", { passing: false }));
      return { ...store, put: (key, ...rest) => key.includes("000003") ? refuse() : store.put(key, ...rest) };
    },
  });
  try {
    await assert.rejects(failing.backup(place.path("app.db"), { store: place.store }), /disk is full/);
    assert.notDeepEqual(await filesUnder(place.store), before);
    const [run] = await failing.engine.runs({ unfinished: true });
    assert.equal(run?.status, "failed");
    assert.equal(await failing.engine.cancel(run?.id ?? ""), "cancelled");
    assert.deepEqual(await filesUnder(place.store), before);
  } finally {
    await failing[Symbol.asyncDispose]();
  }
  await place.verify(kept);
});

Deno.test("a snapshot that changed while the run was stopped is not made into a backup", async () => {
  let failing = true;
  const base = await openTestPlace();
  await using _ = base;
  await using place = await openTestPlace({
    async openStore(url) {
      const store = await base.environment.openStore(url);
      const full = new CairnError("no_space", "the disk is full", { passing: false });
      return {
        ...store,
        put: (key, ...rest) =>
          failing && key.includes("000003") ? Promise.reject(full) : store.put(key, ...rest),
      };
    },
  });
  makeSample(place.path("app.db"), 20_000);
  await assert.rejects(place.backup(place.path("app.db")), /disk is full/);
  failing = false;
  const [run] = await place.engine.runs({ unfinished: true });
  const copy = `${place.home}/spool/${run?.id}/snapshot.db`;
  const bytes = await Deno.readFile(copy);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await Deno.writeFile(copy, bytes);
  await assert.rejects(
    place.engine.execute(run?.id ?? ""),
    (error) =>
      error instanceof CairnError && error.code === "verification" && /not what it was/.test(error.message),
  );
});
