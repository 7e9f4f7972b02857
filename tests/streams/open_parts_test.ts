import assert from "node:assert/strict";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import { generateIdentity } from "../../streams/age.ts";
import type { Codec } from "../../streams/codec.ts";
import type { StoredPart } from "../../streams/open_parts.ts";
import type { Pool } from "../../streams/pool.ts";
import {
  byteSource,
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

type Files = Map<string, Uint8Array<ArrayBuffer>>;

interface Sealed {
  readonly codec: Codec;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly manifest: readonly StoredPart[];
  readonly files: Files;
  readonly identities: readonly string[];
}

const keys = await generateIdentity();

async function sealed(
  folder: string,
  pool: Pool,
  codec: Codec,
  encrypted: boolean,
  size = 300_000,
): Promise<Sealed> {
  const plain = content(size);
  const recipients = encrypted ? [keys.recipient] : [];
  const settings = { codec, recipients, partBytes: 20_000 };
  const manifest = stored(await sealAll(byteSource(plain), sealOptions(folder, pool, settings)));
  const files = await readFiles(folder, manifest);
  return { codec, plain, manifest, files, identities: encrypted ? [keys.identity] : [] };
}

/** Opens what may have been tampered with; gives the error, and fails when the stream ends as if all were well. */
async function openTampered(
  it: Sealed,
  pool: Pool,
  more: Partial<Parameters<typeof openHeld>[3]> = {},
): Promise<CairnError> {
  const { codec, identities } = it;
  const stream = openHeld(it.files, it.manifest, pool, { codec, identities, ...more });
  let bytes = 0;
  return await failure((async () => {
    for await (const block of stream) {
      bytes += block.length;
      assert.ok(bytes <= it.plain.length, "more than stated came out");
    }
  })());
}

function flip(files: Files, name: string, at: number, bits = 1): Files {
  const changed = files.get(name)?.slice();
  assert.ok(changed);
  changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ bits;
  return new Map(files).set(name, changed);
}

const CASES = (["zstd", "gzip", "none"] as const).flatMap((codec) =>
  [true, false].map((encrypted) => ({ codec, encrypted }))
);

for (const { codec, encrypted } of CASES) {
  const kind = `${codec}, ${encrypted ? "age" : "plain"}`;

  Deno.test(`a bit flipped anywhere is an error that names the part (${kind})`, async () => {
    await inPipeline(async (folder, pool) => {
      const it = await sealed(folder, pool, codec, encrypted);
      assert.ok(it.manifest.length > 2);
      // The bytes of headers, and places all over.
      const place = fc.oneof(fc.nat(400), fc.nat());
      await fc.assert(
        fc.asyncProperty(fc.nat(it.manifest.length - 1), place, fc.nat(7), async (index, at, bit) => {
          const name = it.manifest[index]?.name ?? "";
          const error = await openTampered({ ...it, files: flip(it.files, name, at, 1 << bit) }, pool);
          assert.equal(error.code, "verification");
          assert.ok(error.message.startsWith(`part ${name.slice(0, 6)} is damaged`), error.message);
        }),
        { numRuns: 40 },
      );
    });
  });

  Deno.test(`a part cut off anywhere, or longer than stated, is an error that names it (${kind})`, async () => {
    await inPipeline(async (folder, pool) => {
      const it = await sealed(folder, pool, codec, encrypted);
      await fc.assert(
        fc.asyncProperty(fc.nat(it.manifest.length - 1), fc.nat(), async (index, at) => {
          const { name, storedBytes } = it.manifest[index] ?? { name: "", storedBytes: 1 };
          const cut = it.files.get(name)?.slice(0, at % storedBytes) ?? new Uint8Array();
          const error = await openTampered({ ...it, files: new Map(it.files).set(name, cut) }, pool);
          assert.match(error.message, new RegExp(`^part ${name.slice(0, 6)} is damaged: .*truncated`));
          // And when the manifest was made to fit.
          const manifest = it.manifest.map((part) =>
            part.name === name ? { ...part, storedBytes: cut.length, sha256: sha256(cut) } : part
          );
          const forged = { ...it, manifest, files: new Map(it.files).set(name, cut) };
          assert.equal((await openTampered(forged, pool)).code, "verification");
        }),
        { numRuns: 20 },
      );
      const [part] = it.manifest;
      assert.ok(part);
      const longer = new Uint8Array([...it.files.get(part.name) ?? [], 0]);
      const error = await openTampered({ ...it, files: new Map(it.files).set(part.name, longer) }, pool);
      assert.match(error.message, /longer than/);
    });
  });

  Deno.test(`swapped, missing and repeated parts are errors (${kind})`, async () => {
    await inPipeline(async (folder, pool) => {
      const it = await sealed(folder, pool, codec, encrypted);
      const [one, two, ...rest] = it.manifest;
      assert.ok(one && two);
      const swapped = new Map(it.files);
      swapped.set(one.name, it.files.get(two.name) ?? new Uint8Array());
      swapped.set(two.name, it.files.get(one.name) ?? new Uint8Array());
      assert.equal((await openTampered({ ...it, files: swapped }, pool)).code, "verification");

      const without = new Map(it.files);
      without.delete(two.name);
      const gone = await openTampered({ ...it, files: without }, pool);
      assert.equal(gone.code, "verification");
      assert.equal(gone.message, "part 000002 is missing");

      const whole = { plainBytes: it.plain.length, plainSha256: sha256(it.plain) };
      for (const manifest of [[two, one, ...rest], [one, ...rest], [one, one, ...rest], []]) {
        assert.equal((await openTampered({ ...it, manifest }, pool, whole)).code, "verification");
      }
      assert.match((await openTampered({ ...it, manifest: [] }, pool)).message, /lists no parts/);
    });
  });

  Deno.test(`sizes and checksums of the plaintext that are forged either way are errors (${kind})`, async () => {
    await inPipeline(async (folder, pool) => {
      const it = await sealed(folder, pool, codec, encrypted);
      for (const difference of [-1, 1, -SMALL.blockBytes, SMALL.blockBytes]) {
        const manifest = it.manifest.map((part, index) =>
          index === 1 ? { ...part, plainBytes: part.plainBytes + difference } : part
        );
        const total = await openTampered({ ...it, manifest }, pool, { plainBytes: it.plain.length });
        assert.match(total.message, /add up to/);
        const stream = openHeld(it.files, manifest, pool, { codec, identities: it.identities });
        const error = await failure(collect(stream));
        assert.equal(error.code, "verification");
        assert.match(error.message, /^part 000002 is damaged: it decodes to/);
      }
      const wrong = await openTampered(it, pool, { plainSha256: sha256(content(1)) });
      assert.match(wrong.message, /SHA-256 of the restored content is/);
    });
  });
}

Deno.test("a wrong key is a key error that says for whom the part is made, unless the part is damaged", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", true);
    const other = (await generateIdentity()).identity;
    const error = await openTampered({ ...it, identities: [other] }, pool);
    assert.equal(error.code, "key");
    assert.match(error.message, /X25519/);
    const damaged = { ...it, identities: [other], files: flip(it.files, "000001.zst.age", 3000) };
    assert.match((await openTampered(damaged, pool)).message, /part 000001 is damaged: its SHA-256 is/);
    const garbled = { ...it, identities: ["AGE-SECRET-KEY-1NONSENSE"] };
    assert.equal((await openTampered(garbled, pool)).code, "key");
  });
});

Deno.test("content that claims another codec, or to be encrypted or not, is an error", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", true);
    assert.equal((await openTampered({ ...it, codec: "gzip" }, pool)).code, "verification");
    assert.equal((await openTampered({ ...it, identities: [] }, pool)).code, "verification");
    const plain = await sealed(folder, pool, "zstd", false);
    const error = await openTampered({ ...plain, identities: [keys.identity] }, pool);
    assert.match(error.message, /part 000001 is damaged: it does not begin with an age header/);
  });
});

Deno.test("a frame that bursts is refused although manifest and checksums were made to fit", async () => {
  await inPipeline(async (folder, pool) => {
    const bomb = await shell("head -c 100000000 /dev/zero | zstd -1 --stream-size=100000000", folder);
    const part = {
      name: "000001.zst",
      storedBytes: bomb.length,
      sha256: sha256(bomb),
      plainBytes: 100_000_000,
    };
    const stream = openHeld(new Map([[part.name, bomb]]), [part], pool);
    const error = await failure(collect(stream));
    assert.match(error.message, /^part 000001 is damaged: .*more than a block may have/);
  });
});

Deno.test("more than a part states is never given, although its checksum was made to fit", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", false);
    const [one, two] = it.manifest;
    assert.ok(one && two && it.manifest.length > 2);
    const own = it.files.get(one.name) ?? new Uint8Array();
    const other = it.files.get(two.name) ?? new Uint8Array();
    // More than the pipeline holds, so that it would come out if it were decoded.
    const many = new Uint8Array(60 * other.length);
    for (let at = 0; at < many.length; at += other.length) many.set(other, at);
    for (
      const [extra, why] of [[many, /decodes to/], [other.slice(0, 100), /ends within a frame/]] as const
    ) {
      const bytes = new Uint8Array([...own, ...extra]);
      const forged = { ...one, storedBytes: bytes.length, sha256: sha256(bytes) };
      const files = new Map([[one.name, bytes]]);
      let given = 0;
      const stream = openHeld(files, [forged], pool, { onPlain: (bytes) => given += bytes });
      assert.match((await failure(collect(stream))).message, why);
      assert.ok(given <= one.plainBytes, `${given} of ${one.plainBytes}`);
    }
  });
});

Deno.test("parts made with stock zstd and age open here when their frames state their size", async () => {
  await inPipeline(async (folder, pool) => {
    const plain = content(400_000);
    const make =
      `for n in 1 2 3 4; do head -c 100000 > block; zstd -q -c block; done | age -r ${keys.recipient}`;
    const part = await shell(make, folder, plain);
    const manifest = [{
      name: "000001.zst.age",
      storedBytes: part.length,
      sha256: sha256(part),
      plainBytes: plain.length,
    }];
    const identities = [keys.identity];
    const stream = openHeld(new Map([["000001.zst.age", part]]), manifest, pool, { identities });
    assert.deepEqual(await collect(stream), plain);
  });
});

Deno.test("an error of the store passes as it is", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", true);
    const down = new CairnError("unreachable", "the store does not answer");
    const error = await openTampered(it, pool, { open: () => Promise.reject(down) });
    assert.equal(error, down);
    const broken = openTampered(it, pool, {
      open: () =>
        Promise.resolve(
          new ReadableStream({
            pull(controller) {
              controller.error(down);
            },
          }),
        ),
    });
    assert.equal(await broken, down);
  });
});

Deno.test("a slow consumer stops the reading: what is held is bounded", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", true, 3_000_000);
    assert.ok(it.manifest.length > 30);
    let opened = 0;
    let wake = () => {};
    const stream = openHeld(it.files, it.manifest, pool, {
      identities: it.identities,
      open(part) {
        opened += 1;
        wake();
        return Promise.resolve(byteSource(it.files.get(part.name) ?? new Uint8Array()));
      },
    });
    assert.equal(opened, 0);
    const reader = stream.getReader();
    const first = await reader.read();
    assert.equal(first.value?.length, SMALL.blockBytes);
    // Idle when nothing was opened for long enough that a running pipeline would have.
    for (let quiet = false; !quiet;) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(true), 150);
      wake = () => resolve(false);
      quiet = await promise;
      clearTimeout(timer);
    }
    // Here a part is one unit of three blocks: decoded blocks, waiting units and those being opened are limited.
    const blocksPerPart = Math.ceil((it.manifest[0]?.plainBytes ?? 0) / SMALL.blockBytes);
    const decoded = 2 * pool.workers + 3 + 2;
    const limit = Math.ceil(decoded / blocksPerPart) + pool.workers + 2 + 3;
    assert.ok(opened <= limit, `${opened} parts of at most ${limit}`);
    await reader.cancel();
  });
});

Deno.test("the next part is opened before the one in hand was read to its end", async () => {
  await inPipeline(async (folder, pool) => {
    const plain = content(9_000_000);
    const settings = { codec: "none", blockBytes: 1 << 20, partBytes: 4_000_000 } as const;
    const manifest = stored(await sealAll(byteSource(plain), sealOptions(folder, pool, settings)));
    const files = await readFiles(folder, manifest);
    const left: number[] = [];
    const reading: { at: number; size: number }[] = [];
    const stream = openHeld(files, manifest, pool, {
      codec: "none",
      open(part) {
        const before = reading.at(-1);
        if (before) left.push(before.size - before.at);
        const state = { at: 0, size: part.storedBytes };
        reading.push(state);
        const bytes = files.get(part.name) ?? new Uint8Array();
        return Promise.resolve(
          new ReadableStream({
            pull(controller) {
              if (state.at >= bytes.length) return controller.close();
              controller.enqueue(bytes.slice(state.at, state.at += 100_000));
            },
          }, { highWaterMark: 0 }),
        );
      },
    });
    assert.deepEqual(await collect(stream), plain);
    assert.equal(left.length, manifest.length - 1);
    for (const bytes of left) assert.ok(bytes > 0, "it was read to the end first");
  });
});

Deno.test("cancelling and aborting stop the reading and close what was opened", async () => {
  await inPipeline(async (folder, pool) => {
    const it = await sealed(folder, pool, "zstd", true, 2_000_000);
    await Deno.writeFile(`${folder}/wrong`, content(400_000, 3));
    for (const way of ["cancel", "abort", "damage"] as const) {
      let open = 0;
      const stopping = new AbortController();
      const stream = openHeld(it.files, it.manifest, pool, {
        identities: it.identities,
        signal: stopping.signal,
        async open(part) {
          open += 1;
          const file = await Deno.open(`${folder}/${way === "damage" ? "wrong" : part.name}`);
          return file.readable;
        },
      });
      const reader = stream.getReader();
      if (way === "damage") {
        assert.match((await failure(reader.read())).message, /does not begin with|SHA-256|longer/);
        continue;
      }
      await reader.read();
      if (way === "cancel") await reader.cancel();
      else {
        stopping.abort(new CairnError("interrupted", "stopped by a signal"));
        const rest = async () => {
          while (!(await reader.read()).done);
        };
        assert.match((await failure(rest())).message, /stopped by a signal/);
      }
      // Files that stay open are found by the test's own check of resources.
      assert.ok(open > 0);
    }
  });
});
