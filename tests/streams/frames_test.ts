import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { CairnError } from "../../errors.ts";
import type { Compression } from "../../streams/codec.ts";
import { compressBlock, decompressFrame, FrameDamage } from "../../streams/compression.ts";
import { firstFrame, MAX_BLOCK_BYTES } from "../../streams/frames.ts";
import { createFrameSplitter } from "../../streams/frame_splitter.ts";
import { content, inFolder, shell } from "./fixture.ts";

const codecs = fc.constantFrom<Compression>("zstd", "gzip");
const blocks = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.nat(9)).map(([size, seed]) => content(size, seed)),
  fc.integer({ min: 0, max: 500_000 }).map((size) => new Uint8Array(size)),
);

function join(...pieces: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

Deno.test("the end and the content size of a frame are found, whatever follows it", () => {
  fc.assert(
    fc.property(
      codecs,
      blocks,
      fc.integer({ min: 1, max: 9 }),
      fc.uint8Array(),
      (codec, block, level, tail) => {
        const frame = compressBlock(codec, level, block);
        const found = firstFrame(codec, join(frame, tail));
        assert.deepEqual(found, { bytes: frame.length, plainBytes: block.length, skippable: false });
        assert.deepEqual(new Uint8Array(decompressFrame(codec, frame, block.length)), new Uint8Array(block));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("of a frame that is cut short no end is found", () => {
  fc.assert(
    fc.property(codecs, blocks, fc.double({ min: 0, max: 0.999, noNaN: true }), (codec, block, share) => {
      const frame = compressBlock(codec, 3, block);
      assert.equal(firstFrame(codec, frame.subarray(0, Math.floor(frame.length * share))), undefined);
    }),
    { numRuns: 60 },
  );
});

Deno.test("a changed frame gives an error of ours, another frame, or damage, never anything else", () => {
  fc.assert(
    fc.property(codecs, blocks, fc.nat(), fc.integer({ min: 1, max: 255 }), (codec, block, place, bits) => {
      const frame = new Uint8Array(compressBlock(codec, 3, block));
      const at = place % Math.min(frame.length, 40);
      frame[at] = (frame[at] ?? 0) ^ bits;
      try {
        const found = firstFrame(codec, frame);
        if (!found || found.skippable) return;
        const plain = decompressFrame(codec, frame.subarray(0, found.bytes), found.plainBytes);
        assert.ok(plain.length <= MAX_BLOCK_BYTES);
      } catch (error) {
        const ours = error instanceof FrameDamage ||
          error instanceof CairnError && error.code === "verification";
        assert.ok(ours, String(error));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("stock tools decode our frames one after the other", async () => {
  await inFolder(async (folder) => {
    const [one, two] = [content(70_000), content(3, 2)];
    for (const [codec, tool] of [["zstd", "zstd -d"], ["gzip", "gunzip"]] as const) {
      const file = join(compressBlock(codec, 6, one), compressBlock(codec, 6, two));
      const plain = await shell(tool, folder, new Uint8Array(file));
      assert.deepEqual(plain, new Uint8Array(join(one, two)));
    }
  });
});

function refused(codec: Compression | "none", bytes: Uint8Array, why: RegExp): void {
  assert.throws(
    () => firstFrame(codec, bytes),
    (error) => error instanceof CairnError && error.code === "verification" && why.test(error.message),
  );
}

Deno.test("a frame that states more than a block may have is refused before it is decoded", () => {
  const zeros = new Uint8Array(MAX_BLOCK_BYTES + 1);
  refused("zstd", compressBlock("zstd", 1, zeros), /states 8388609 bytes/);
  refused("gzip", compressBlock("gzip", 1, zeros), /states 8388609 bytes/);
  const huge = new Uint8Array(compressBlock("zstd", 3, zeros.subarray(0, 4)));
  huge.set([0b1110_0100], 4);
  refused("zstd", join(huge.subarray(0, 5), new Uint8Array(8).fill(255), huge), /states/);
});

Deno.test("a frame without a content size, with a dictionary, or of another format is refused", async () => {
  const unsized = await inFolder((folder) => shell("zstd --no-content-size", folder, content(1000)));
  refused("zstd", unsized, /does not state its content size/);
  const dictionary = new Uint8Array(zstdCompressSync(content(1000)));
  dictionary[4] = (dictionary[4] ?? 0) | 1;
  refused("zstd", dictionary, /dictionary/);
  refused("zstd", new Uint8Array(20), /magic number/);
  refused("gzip", await inFolder((folder) => shell("gzip", folder, content(1000))), /no gzip member of ours/);
  refused("zstd", Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 255, 255, 255, 255]), /too long/);
});

Deno.test("a frame that lies about its size is damage, and no more than stated is ever made", () => {
  const frame = new Uint8Array(compressBlock("gzip", 6, new Uint8Array(4 << 20)));
  new DataView(frame.buffer).setUint32(frame.length - 4, 1000, true);
  assert.throws(() => decompressFrame("gzip", frame, 1000), FrameDamage);
  assert.throws(() => decompressFrame("zstd", compressBlock("zstd", 3, content(10)), 9), FrameDamage);
  assert.throws(() => decompressFrame("zstd", compressBlock("zstd", 3, content(10)), 11), FrameDamage);
});

Deno.test("a splitter gives the same frames however the bytes are cut", () => {
  fc.assert(
    fc.property(
      codecs,
      fc.array(blocks, { maxLength: 4 }),
      fc.integer({ min: 1, max: 5000 }),
      (codec, all, size) => {
        const frames = all.map((block) => compressBlock(codec, 1, block));
        const skippable = Uint8Array.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        const bytes = join(...frames, ...(codec === "zstd" ? [skippable] : []));
        const splitter = createFrameSplitter(codec);
        const sizes: number[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          splitter.add(bytes.subarray(at, at + size));
          for (let found = splitter.next(); found; found = splitter.next()) {
            if (!found.frame.skippable) sizes.push(found.bytes.length);
          }
        }
        assert.deepEqual(sizes, frames.map((frame) => frame.length));
        assert.equal(splitter.rest, 0);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("zstd frames carry a checksum", () => {
  const descriptor = compressBlock("zstd", 3, content(1000))[4] ?? 0;
  assert.equal(descriptor & 4, 4);
});
