import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { CairnError, toCairnError } from "../../errors.ts";
import { generateIdentity } from "../../streams/age.ts";
import type { Codec } from "../../streams/codec.ts";
import { hashFile } from "../../streams/durable.ts";
import { partName, sealParts } from "../../streams/seal_parts.ts";
import {
  byteSource,
  chunkSource,
  collect,
  content,
  failure,
  inPipeline,
  openHeld,
  readFiles,
  sealAll,
  sealOptions,
  sha256,
  shell,
  SMALL,
  stored,
} from "./fixture.ts";

const DECODE: Record<Codec, string> = { zstd: "zstd -d", gzip: "gunzip", none: "cat" };
const SUFFIX: Record<Codec, string> = { zstd: "zst", gzip: "gz", none: "bin" };

const block = SMALL.blockBytes;
const sizes = fc.oneof(
  fc.constantFrom(0, 1, block - 1, block, block + 1, 4 * block, 8 * block + 3),
  fc.integer({ min: 0, max: 700_000 }),
);

Deno.test("what is sealed decodes to the same bytes, with stock tools and by us", async () => {
  const keys = [await generateIdentity(), await generateIdentity()];
  await inPipeline((root, pool) =>
    fc.assert(
      fc.asyncProperty(
        sizes,
        fc.constantFrom<Codec>("zstd", "gzip", "none"),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(2),
        fc.boolean(),
        async (size, codec, level, recipients, bytes) => {
          const folder = await Deno.makeTempDir({ dir: root });
          const plain = content(size, level);
          const source = bytes ? byteSource(plain, [1, 70_000, 900]) : chunkSource(plain);
          const settings = {
            codec,
            level,
            recipients: keys.slice(0, recipients).map((key) => key.recipient),
          };
          const options = sealOptions(folder, pool, settings);
          const parts = await sealAll(source, options);

          assert.equal(options.plainHash.digest("hex"), sha256(plain));
          let offset = 0;
          for (const [index, part] of parts.entries()) {
            assert.equal(part.number, index + 1);
            assert.equal(part.plainOffset, offset);
            assert.equal(part.last, index === parts.length - 1);
            assert.equal(part.file, `${folder}/${partName(part.number, codec, recipients > 0)}`);
            assert.deepEqual(await hashFile(part.file), { bytes: part.storedBytes, sha256: part.sha256 });
            assert.equal(((await Deno.stat(part.file)).mode ?? 0) & 0o777, 0o600);
            if (!part.last) assert.ok(part.storedBytes >= SMALL.partBytes);
            offset += part.plainBytes;
          }
          assert.equal(offset, size);

          const manifest = stored(parts);
          const files = await readFiles(folder, manifest);
          const more = { codec, plainSha256: sha256(plain) };
          const names = `[0-9]*.${SUFFIX[codec]}`;
          if (recipients === 0) {
            assert.deepEqual(await shell(`cat ${names} | ${DECODE[codec]}`, folder), plain);
            assert.deepEqual(await collect(openHeld(files, manifest, pool, more)), plain);
          }
          for (const { identity } of keys.slice(0, recipients)) {
            await Deno.writeTextFile(`${folder}/key`, identity);
            const open = `for p in ${names}.age; do age -d -i key $p || exit 1; done`;
            assert.deepEqual(await shell(`(${open}) | ${DECODE[codec]}`, folder), plain);
            const ours = openHeld(files, manifest, pool, { ...more, identities: [identity] });
            assert.deepEqual(await collect(ours), plain);
          }
        },
      ),
      { numRuns: 25 },
    )
  );
});

Deno.test("a part that spans several sealed units is one age file", async () => {
  const { identity, recipient } = await generateIdentity();
  await inPipeline(async (folder, pool) => {
    const plain = crypto.getRandomValues(new Uint8Array(65_536));
    const big = new Uint8Array(2_500_000).map((_, at) => (plain[at % 65_536] ?? 0) ^ at >> 16);
    const settings = {
      codec: "none",
      blockBytes: 1 << 20,
      partBytes: 2_200_000,
      recipients: [recipient],
    } as const;
    const manifest = stored(await sealAll(byteSource(big), sealOptions(folder, pool, settings)));
    assert.equal(manifest.length, 1);
    await Deno.writeTextFile(`${folder}/key`, identity);
    assert.deepEqual(await shell("age -d -i key 000001.bin.age", folder), big);
    const files = await readFiles(folder, manifest);
    const ours = openHeld(files, manifest, pool, { codec: "none", identities: [identity] });
    assert.deepEqual(await collect(ours), big);
  });
});

Deno.test("sealing goes on from any part of a frozen source", async () => {
  await inPipeline(async (folder, pool) => {
    const plain = content(500_000);
    const settings = { partBytes: 20 << 10 };
    const whole = await sealAll(byteSource(plain), sealOptions(folder, pool, settings));
    const third = whole[2];
    assert.ok(third && whole.length > 3);
    const again = sealOptions(folder, pool, settings, {
      firstNumber: 3,
      plainOffset: third.plainOffset,
      plainHash: createHash("sha256").update(plain.subarray(0, third.plainOffset)),
    });
    const rest = await sealAll(byteSource(plain.slice(third.plainOffset)), again);
    assert.deepEqual(rest, whole.slice(2));
  });
});

Deno.test("a leftover that a store has linked is replaced, never written to", async () => {
  await inPipeline(async (folder, pool) => {
    await Deno.writeTextFile(`${folder}/000001.zst`, "published");
    await Deno.link(`${folder}/000001.zst`, `${folder}/object`);
    await sealAll(byteSource(content(10)), sealOptions(folder, pool));
    assert.equal(await Deno.readTextFile(`${folder}/object`), "published");
  });
});

Deno.test("while parts are not taken the source is not read on: memory and disk are bounded", async () => {
  await inPipeline(async (folder, pool) => {
    let given = 0;
    const still = { wake: () => {} };
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        given += 1;
        still.wake();
        controller.enqueue(content(block, given));
      },
    }, { highWaterMark: 0 });
    const settings = { codec: "none", partBytes: 4 * block } as const;
    await using sealer = sealParts(source, sealOptions(folder, pool, settings));
    const idle = async () => {
      // Idle when nothing was read for long enough that a running pipeline would have.
      for (let quiet = false; !quiet;) {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const timer = setTimeout(() => resolve(true), 150);
        still.wake = () => resolve(false);
        quiet = await promise;
        clearTimeout(timer);
      }
    };
    await idle();
    const credits = 2 * pool.workers + 3;
    const before = given;
    assert.ok(before <= 2 * 4 + credits + 1, `${before} blocks were read`);
    assert.ok((await Array.fromAsync(Deno.readDir(folder))).length <= 2);
    assert.equal((await sealer.next())?.number, 1);
    await idle();
    assert.ok(given > before && given <= before + 4 + 1, `${given} blocks were read`);
    assert.equal(sealer.plainBytes, given * block);
  });
});

Deno.test("an error of the source is the error of next, now and later, and parts stop", async () => {
  await inPipeline(async (folder, pool) => {
    let given = 0;
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (given++ === 30) controller.error(new CairnError("tool_failed", "pg_dump ended with status 1"));
        else controller.enqueue(content(block, given));
      },
    });
    await using sealer = sealParts(source, sealOptions(folder, pool));
    const failed = async () => {
      while (await sealer.next());
    };
    assert.match((await failure(failed())).message, /pg_dump ended/);
    assert.match((await failure(sealer.next())).message, /pg_dump ended/);
  });
});

Deno.test("aborting and disposing stop at once and cancel the source", async () => {
  await inPipeline(async (folder, pool) => {
    for (const way of ["abort", "dispose", "before"] as const) {
      const cancelled = Promise.withResolvers<unknown>();
      const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start(controller) {
          controller.enqueue(content(3 * block));
        },
        cancel: cancelled.resolve,
      });
      const stopping = new AbortController();
      const reason = new CairnError("interrupted", "stopped by a signal");
      if (way === "before") stopping.abort(reason);
      const sealer = sealParts(source, sealOptions(folder, pool, {}, { signal: stopping.signal }));
      const next = failure(sealer.next());
      if (way === "abort") stopping.abort(reason);
      if (way === "dispose") await sealer[Symbol.asyncDispose]();
      assert.equal((await next).code, "interrupted");
      assert.match(String(await cancelled.promise), /stopped/);
      await sealer[Symbol.asyncDispose]();
    }
  });
});

Deno.test("a stalled source is an error that says for how long", async () => {
  await inPipeline(async (folder, pool) => {
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({ type: "bytes" });
    await using sealer = sealParts(source, sealOptions(folder, pool, {}, { stallMilliseconds: 100 }));
    assert.match((await failure(sealer.next())).message, /no data for 0.1 s/);
  });
});

Deno.test("a folder that is not there and a pool that was closed are errors", async () => {
  await inPipeline(async (folder, pool) => {
    await assert.rejects(
      sealAll(byteSource(content(10)), sealOptions(`${folder}/nowhere`, pool)),
      Deno.errors.NotFound,
    );
    await pool[Symbol.asyncDispose]();
    const error = await failure(sealAll(byteSource(content(10)), sealOptions(folder, pool)));
    assert.match(error.message, /pool was closed/);
  });
});

const root = Deno.uid() === 0 && Deno.build.os === "linux";

Deno.test({
  name: root
    ? "a full disk is an error that says so"
    : "a full disk: NOT TESTED, mounting a small file system needs root",
  ignore: !root,
  async fn() {
    await inPipeline(async (folder, pool) => {
      await shell("mkdir small && mount -t tmpfs -o size=200k tmpfs small", folder);
      try {
        const settings = { codec: "none" } as const;
        const work = sealAll(byteSource(content(900_000)), sealOptions(`${folder}/small`, pool, settings));
        const error = await work.then(() => undefined, toCairnError);
        assert.equal(error?.code, "no_space");
      } finally {
        await shell("umount small", folder);
      }
    });
  },
});

Deno.test("the hash given is fed in order with what is read", async () => {
  await inPipeline(async (folder, pool) => {
    const plain = content(300_000);
    const seen: number[] = [];
    const plainHash = createHash("sha256").update("before");
    const onPlain = (bytes: number) => seen.push(bytes);
    await sealAll(byteSource(plain), sealOptions(folder, pool, {}, { plainHash, onPlain }));
    assert.equal(plainHash.digest("hex"), createHash("sha256").update("before").update(plain).digest("hex"));
    assert.equal(seen.reduce((sum, bytes) => sum + bytes, 0), plain.length);
  });
});

Deno.test("names of parts sort and tell how to decode them", () => {
  assert.equal(partName(1, "zstd", true), "000001.zst.age");
  assert.equal(partName(123456, "gzip", false), "123456.gz");
  assert.equal(partName(17, "none", false), "000017.bin");
});
