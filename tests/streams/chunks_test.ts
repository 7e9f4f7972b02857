import assert from "node:assert/strict";
import { Decrypter } from "age-encryption";
import { generateIdentity } from "../../streams/age.ts";
import { CHUNK_BYTES, prefixBytes, sealedBytes, TAG_BYTES, UNIT_BYTES } from "../../streams/age_layout.ts";
import { beginAge, openAge } from "../../streams/age_stream.ts";
import { ChunkDamage, openChunks, sealChunks } from "../../streams/chunks.ts";
import { content, failure } from "./fixture.ts";

const key = crypto.getRandomValues(new Uint8Array(32));

async function seal(plain: Uint8Array, counter = 0, last = true, with_ = key): Promise<Uint8Array> {
  const output = new Uint8Array(sealedBytes(plain.length));
  assert.equal(await sealChunks(plain, output, { key: with_, counter, last }), output.length);
  return output;
}

async function open(sealed: Uint8Array, counter = 0, last = true): Promise<Uint8Array> {
  const output = new Uint8Array(sealed.length);
  return output.subarray(0, await openChunks(sealed, output, { key, counter, last }));
}

Deno.test("chunks sealed here make a file that the age library opens", async () => {
  const { identity, recipient } = await generateIdentity();
  const other = await generateIdentity();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES]) {
    const { prefix, key } = await beginAge([other.recipient, recipient]);
    const plain = content(size);
    const file = new Uint8Array([...prefix, ...await seal(plain, 0, true, key)]);
    assert.deepEqual(await decrypter.decrypt(file), new Uint8Array(plain));
    assert.equal(prefixBytes(file), prefix.length);
    assert.equal(prefixBytes(file.subarray(0, prefix.length - 1)), undefined);
    assert.deepEqual(await openAge(prefix, [identity]), key);
  }
});

Deno.test("every file has a key of its own", async () => {
  const { recipient } = await generateIdentity();
  const [one, two] = [await beginAge([recipient]), await beginAge([recipient])];
  assert.notDeepEqual(one.key, two.key);
});

Deno.test("a header opens only unchanged, and only with the right key", async () => {
  const { identity, recipient } = await generateIdentity();
  const { prefix } = await beginAge([recipient]);
  assert.equal((await failure(openAge(prefix, [(await generateIdentity()).identity]))).code, "key");
  for (let at = 0; at < prefix.length - TAG_BYTES; at += 7) {
    const changed = prefix.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.match((await failure(openAge(changed, [identity]))).code, /^(key|verification)$/);
  }
});

Deno.test("units in a row are the same chunks as one run", async () => {
  const plain = content(UNIT_BYTES + 3 * CHUNK_BYTES + 17);
  const whole = await seal(plain);
  const first = await seal(plain.subarray(0, UNIT_BYTES), 0, false);
  const rest = await seal(plain.subarray(UNIT_BYTES), 16, true);
  assert.deepEqual(Uint8Array.from([...first, ...rest]), whole);
  assert.deepEqual(await open(whole), plain);
});

Deno.test("changed, moved, cut and mislabelled chunks are damage", async () => {
  const sealed = await seal(content(3 * CHUNK_BYTES));
  const chunk = CHUNK_BYTES + TAG_BYTES;
  for (const at of [0, 70_000, sealed.length - 1]) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    await assert.rejects(open(changed), ChunkDamage);
  }
  await assert.rejects(open(sealed, 1), ChunkDamage);
  await assert.rejects(open(sealed, 0, false), ChunkDamage);
  await assert.rejects(open(sealed.subarray(0, 2 * chunk)), ChunkDamage);
  await assert.rejects(open(sealed.subarray(0, 5)), ChunkDamage);
  await assert.rejects(open(sealed.subarray(0, 2 * chunk + 5)), ChunkDamage);
  // An empty chunk may only be the first: otherwise a file could be lengthened unseen.
  const emptyTail = await seal(new Uint8Array(), 1, true);
  await assert.rejects(open(emptyTail, 1), ChunkDamage);
});
