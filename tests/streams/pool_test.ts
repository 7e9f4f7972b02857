import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPool } from "../../streams/pool.ts";
import { content, failure } from "./fixture.ts";

const piece = (size: number) => ({ buffer: content(size).buffer, length: size });

Deno.test("tasks give back every buffer, and a result in the one given", async () => {
  await using pool = createPool({ workers: 2 });
  const output = new ArrayBuffer(20_000);
  const compress = { kind: "compress", codec: "zstd", level: 3 } as const;
  const made = await pool.run(compress, piece(10_000), output);
  assert.equal(output.byteLength, 0);
  assert.equal(made.output.buffer.byteLength, 20_000);
  assert.deepEqual(new Uint8Array(made.spent), content(10_000));
  const back = { kind: "decompress", codec: "zstd", plainBytes: 10_000 } as const;
  const { output: plain } = await pool.run(back, made.output).catch(() => assert.fail());
  assert.deepEqual(new Uint8Array(plain.buffer, 0, plain.length), content(10_000));
});

for (const codec of ["zstd", "gzip"] as const) {
  Deno.test(`${codec}: blocks of every size come back as they were`, async () => {
    await using pool = createPool({ workers: 2 });
    for (const size of [0, 1, 1000, 1 << 16, (1 << 16) + 1, 1 << 18, 1 << 20, 1 << 22]) {
      for (const bytes of [content(size), new Uint8Array(size)]) {
        const input = { buffer: bytes.slice().buffer, length: size };
        const compress = { kind: "compress", codec, level: 3 } as const;
        const { output } = await pool.run(compress, input, new ArrayBuffer(size + (size >> 7) + 1024));
        assert.ok(output.length > 0);
        const back = { kind: "decompress", codec, plainBytes: size } as const;
        const plain = (await pool.run(back, output)).output;
        assert.equal(
          Buffer.compare(new Uint8Array(plain.buffer, 0, plain.length), bytes),
          0,
          `${size} bytes`,
        );
      }
    }
  });
}

Deno.test("a result that does not fit comes in a buffer of its own", async () => {
  await using pool = createPool({ workers: 1 });
  const compress = { kind: "compress", codec: "gzip", level: 1 } as const;
  const made = await pool.run(compress, piece(100_000), new ArrayBuffer(10));
  assert.ok(made.output.length > 10);
});

Deno.test("many small results do not disturb each other", async () => {
  await using pool = createPool({ workers: 2 });
  const work = Array.from({ length: 60 }, async (_, size) => {
    const compress = { kind: "compress", codec: "zstd", level: 1 } as const;
    const { output } = await pool.run(compress, piece(size));
    const back = { kind: "decompress", codec: "zstd", plainBytes: size } as const;
    const plain = (await pool.run(back, output)).output;
    assert.deepEqual(new Uint8Array(plain.buffer, 0, plain.length), content(size));
  });
  await Promise.all(work);
});

Deno.test("damage and defects come back as errors, and the worker goes on", async () => {
  await using pool = createPool({ workers: 1 });
  const back = { kind: "decompress", codec: "zstd", plainBytes: 10 } as const;
  const damage = await failure(pool.run(back, piece(50)));
  assert.equal(damage.code, "verification");
  const position = { key: new Uint8Array(5), counter: 0, last: true };
  assert.equal((await failure(pool.run({ kind: "seal", ...position }, piece(5)))).code, "internal");
  const compress = { kind: "compress", codec: "zstd", level: 3 } as const;
  assert.ok((await pool.run(compress, piece(50))).output.length > 0);
});

Deno.test("closing the pool rejects what is open and what comes later", async () => {
  const pool = createPool({ workers: 1 });
  const compress = { kind: "compress", codec: "gzip", level: 9 } as const;
  const open = Array.from({ length: 5 }, () => failure(pool.run(compress, piece(200_000))));
  await pool[Symbol.asyncDispose]();
  for (const error of await Promise.all(open)) assert.equal(error.code, "interrupted");
  assert.equal((await failure(pool.run(compress, piece(10)))).code, "interrupted");
});

Deno.test("sealing goes before compressing that has not begun", async () => {
  await using pool = createPool({ workers: 1 });
  const order: string[] = [];
  const compress = { kind: "compress", codec: "gzip", level: 6 } as const;
  const seal = { kind: "seal", key: new Uint8Array(32), counter: 0, last: true } as const;
  const work = Array.from({ length: 6 }, async () => {
    await pool.run(compress, piece(50_000));
    order.push("compress");
  });
  work.push(pool.run(seal, piece(10)).then(() => void order.push("seal")));
  await Promise.all(work);
  assert.ok(order.indexOf("seal") < 4, order.join(" "));
});
