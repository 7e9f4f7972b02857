import assert from "node:assert/strict";
import fc from "fast-check";
import { createFiller } from "../../streams/filler.ts";
import { byteSource, chunkSource, content, failure } from "./fixture.ts";

async function pieces(source: ReadableStream<Uint8Array<ArrayBuffer>>, size: number): Promise<number[]> {
  const filler = createFiller(source);
  const lengths: number[] = [];
  for (let length = size; length === size;) {
    const piece = await filler.fill(new ArrayBuffer(size), 0, size);
    length = piece.length;
    lengths.push(length);
  }
  await filler.stop(undefined);
  return lengths;
}

Deno.test("buffers are filled whole, whatever pieces the stream gives", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3000),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 700 }),
      async (total, sizes, size) => {
        const expected = Array<number>(Math.floor(total / size)).fill(size).concat(total % size);
        assert.deepEqual(await pieces(byteSource(content(total), sizes), size), expected);
        assert.deepEqual(await pieces(chunkSource(content(total), sizes[0]), size), expected);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("filling goes on behind what a buffer already holds", async () => {
  for (const source of [byteSource(content(100), [7]), chunkSource(content(100), 7)]) {
    const filler = createFiller(source);
    const first = await filler.fill(new ArrayBuffer(60), 0, 20);
    const piece = await filler.fill(first.buffer, 20, 60);
    assert.deepEqual(new Uint8Array(piece.buffer, 0, piece.length), content(60));
    await filler.stop(undefined);
  }
});

/** A stream that gives ten bytes and then nothing. */
function stuck(
  type?: "bytes",
): { source: ReadableStream<Uint8Array<ArrayBuffer>>; cancelled: () => unknown } {
  let reason: unknown;
  const underlying = {
    start(controller: { enqueue(bytes: Uint8Array<ArrayBuffer>): void }) {
      controller.enqueue(content(10));
    },
    cancel(cause: unknown) {
      reason = cause;
    },
  };
  const source = type ? new ReadableStream({ type, ...underlying }) : new ReadableStream(underlying);
  return { source, cancelled: () => reason };
}

Deno.test("a source that gives nothing for too long is an error, and is cancelled", async () => {
  for (const type of ["bytes", undefined] as const) {
    const { source, cancelled } = stuck(type);
    const filler = createFiller(source, { stallMilliseconds: 20 });
    const error = await failure(filler.fill(new ArrayBuffer(20), 0, 20));
    assert.equal(error.code, "tool_failed");
    assert.match(error.message, /no data for 0 s/);
    assert.equal(cancelled(), error);
  }
});

Deno.test("time between reads is no stall", async () => {
  const filler = createFiller(byteSource(content(20), [10]), { stallMilliseconds: 20 });
  const piece = await filler.fill(new ArrayBuffer(10), 0, 10);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 80);
  await promise;
  assert.equal(piece.length, 10);
  assert.equal((await filler.fill(new ArrayBuffer(10), 0, 10)).length, 10);
  await filler.stop(undefined);
});

Deno.test("stopping ends a fill that waits", async () => {
  for (const type of ["bytes", undefined] as const) {
    const { source, cancelled } = stuck(type);
    const filler = createFiller(source);
    const filling = assert.rejects(filler.fill(new ArrayBuffer(20), 0, 20), /enough/);
    await filler.stop(new Error("enough"));
    await filling;
    assert.match(String(cancelled()), /enough/);
  }
});
