import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { makeId } from "../../steps/artifact.ts";
import {
  type Manifest,
  openPrivate,
  parseManifest,
  restoreCommand,
  sealPrivate,
  shellQuote,
} from "../../steps/manifest.ts";
import { generateIdentity } from "../../streams/age.ts";

const SHA = "a".repeat(64);

function example(): Manifest {
  const id = makeId(Date.UTC(2026, 10, 23), "abcdef");
  return {
    version: 1,
    id,
    label: "app",
    type: "full",
    engine: "sqlite",
    format: "sqlite",
    parent: null,
    origin: "1b671a64-40d5-491e-99b0-da01ff1f3341",
    run: `backup-${id}`,
    fingerprint: SHA,
    moved: false,
    createdAt: "2026-11-23T00:00:00.000Z",
    finishedAt: "2026-11-23T00:00:01.000Z",
    codec: "zstd",
    encryption: "none",
    plainBytes: 30,
    storedBytes: 12,
    parts: [
      { name: "000001.zst", plainBytes: 20, storedBytes: 8, sha256: SHA },
      { name: "000002.zst", plainBytes: 10, storedBytes: 4, sha256: SHA },
    ],
    versions: { cairn: "0.1.0" },
    restore: "cat",
    private: {
      plainSha256: SHA,
      host: "h",
      source: "sqlite:/app.db",
      tables: [{ name: "t", rows: 1 }],
      warnings: [],
    },
  };
}

function refused(change: (manifest: Record<string, unknown>) => void, code = "verification"): void {
  const manifest: Record<string, unknown> = structuredClone({ ...example() });
  change(manifest);
  assert.throws(
    () => parseManifest(JSON.stringify(manifest), "app/x"),
    (error) => error instanceof CairnError && error.code === code,
  );
}

Deno.test("a manifest that was written is read back the same", () => {
  assert.deepEqual(parseManifest(JSON.stringify(example()), "app/x"), example());
});

Deno.test("forged sizes, names, counts and kinds are refused", () => {
  refused((manifest) => manifest.plainBytes = 31);
  refused((manifest) => manifest.storedBytes = 1e15);
  refused((manifest) => manifest.plainBytes = -30);
  refused((manifest) => manifest.plainBytes = 30.5);
  refused((manifest) => manifest.parts = []);
  refused((manifest) => manifest.parts = [...example().parts].reverse());
  refused((manifest) =>
    manifest.parts = example().parts.map((part) => ({ ...part, name: `../${part.name}` }))
  );
  refused((manifest) => manifest.id = "../../etc");
  refused((manifest) => manifest.format = "../x");
  refused((manifest) => manifest.label = "..");
  refused((manifest) => manifest.type = "incremental");
  refused((manifest) => manifest.codec = "xz");
  refused((manifest) => manifest.encryption = "recipients");
  refused((manifest) => manifest.fingerprint = "short");
  refused((manifest) => manifest.version = 2, "newer_version");
});

Deno.test("the reason why a manifest is refused does not grow with what is forged in it", () => {
  const text = JSON.stringify({ ...example(), type: "x".repeat(1_000_000) });
  assert.throws(() => parseManifest(text, "app/x"), (error: Error) => error.message.length < 1000);
});

Deno.test("damage anywhere in the text is an error of ours or changes nothing that is checked, never a crash", () => {
  const text = JSON.stringify(example());
  fc.assert(fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, noise) => {
    try {
      parseManifest(text.slice(0, at) + noise + text.slice(at + 1), "app/x");
    } catch (error) {
      assert.ok(error instanceof CairnError, String(error));
    }
  }));
});

Deno.test("the private part opens with its key and no other", async () => {
  const [mine, other] = [await generateIdentity(), await generateIdentity()];
  const part = example().private;
  assert.ok(typeof part !== "string");
  const sealed = await sealPrivate(part, [mine.recipient]);
  assert.ok(typeof sealed === "string" && !sealed.includes("app.db"));
  const manifest: Manifest = { ...example(), encryption: "recipients", private: sealed };
  assert.deepEqual(await openPrivate(manifest, [mine.identity]), part);
  await assert.rejects(
    openPrivate(manifest, [other.identity]),
    (error) => error instanceof CairnError && error.code === "key" && error.message.includes(manifest.id),
  );
});

Deno.test("what is quoted is one word for a shell", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string().filter((word) => !word.includes("\0")), async (word) => {
      const { stdout } = await new Deno.Command("sh", { args: ["-c", `printf %s ${shellQuote(word)}`] })
        .output();
      assert.equal(new TextDecoder().decode(stdout), word.toWellFormed());
    }),
    { numRuns: 30 },
  );
});

Deno.test("the restore command names the tools that the artifact needs, and no others", () => {
  const command = (codec: Manifest["codec"], encryption: Manifest["encryption"]) =>
    restoreCommand({ ...example(), codec, encryption });
  assert.match(command("zstd", "none"), /cat .*\| zstd -dcq/);
  assert.match(command("gzip", "recipients"), /age -d -i .*\| gzip -dc/);
  assert.match(command("none", "passphrase"), /identity\.age.*\| cat >/);
  assert.doesNotMatch(command("gzip", "none"), /age|zstd/);
});
