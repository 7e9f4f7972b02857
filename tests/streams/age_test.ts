import assert from "node:assert/strict";
import { armor } from "age-encryption";
import {
  checkRecipient,
  generateIdentity,
  openText,
  parseIdentities,
  protectIdentity,
  recipientOf,
  sealText,
  unprotectIdentity,
} from "../../streams/age.ts";
import { CairnError } from "../../errors.ts";
import { failure, inFolder, shell } from "./fixture.ts";

const WORK_FACTOR = 10;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function thrown(action: () => unknown): CairnError {
  try {
    action();
  } catch (error) {
    if (error instanceof CairnError) return error;
    throw error;
  }
  throw new Error("it should have thrown");
}

Deno.test("an identity and its recipient belong together, also for age-keygen", async () => {
  await inFolder(async (folder) => {
    const { identity, recipient } = await generateIdentity();
    assert.equal(await recipientOf(` ${identity}\n`), recipient);
    const stock = await shell("age-keygen -y", folder, encode(identity));
    assert.equal(decode(stock).trim(), recipient);
  });
});

Deno.test("an error about an identity never shows it", async () => {
  const { identity } = await generateIdentity();
  const spoiled = identity.slice(0, -1) + (identity.endsWith("Q") ? "P" : "Q");
  const errors = [
    await failure(recipientOf(spoiled)),
    await failure(openText(await sealText("x", []), [spoiled])),
    thrown(() => parseIdentities(`# mine\n${spoiled}\n`)),
    thrown(() => checkRecipient(identity)),
  ];
  for (const error of errors) {
    assert.match(error.code, /^(key|usage)$/);
    assert.ok(!Deno.inspect(error, { depth: 9 }).includes(identity.slice(20, 40)));
  }
});

Deno.test("recipients are X25519 or what else the library can encrypt for; anything else is a usage error", async () => {
  checkRecipient((await generateIdentity()).recipient);
  for (const text of ["", "age1", "age1xyz", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQ"]) {
    assert.equal(thrown(() => checkRecipient(text)).code, "usage");
  }
});

Deno.test("an identity file may have comments, blank lines and several identities", async () => {
  const [one, two] = [await generateIdentity(), await generateIdentity()];
  const text = `# created today\r\n\r\n${one.identity}\r\n  ${two.identity}  \n#end`;
  assert.deepEqual(parseIdentities(text), [one.identity, two.identity]);
  assert.equal(thrown(() => parseIdentities("# nothing\n")).code, "key");
  assert.match(thrown(() => parseIdentities("\n\nssh-ed25519 AAAA")).message, /line 3/);
  const sealed = decode(await protectIdentity(one.identity, "secret", WORK_FACTOR));
  assert.match(thrown(() => parseIdentities(sealed)).message, /encrypted with a passphrase/);
});

Deno.test("a passphrase protects an identity; a wrong one is a key error", async () => {
  const { identity } = await generateIdentity();
  const file = await protectIdentity(identity, "correct horse", WORK_FACTOR);
  assert.ok(decode(file).startsWith("age-encryption.org/v1\n-> scrypt "));
  assert.equal(await unprotectIdentity(file, "correct horse"), identity);
  assert.equal(await unprotectIdentity(encode(armor.encode(file)), "correct horse"), identity);
  const wrong = await failure(unprotectIdentity(file, "wrong horse"));
  assert.equal(wrong.code, "key");
  assert.match(wrong.message, /passphrase does not open/);
  const damaged = await failure(unprotectIdentity(file.subarray(0, file.length - 5), "correct horse"));
  assert.match(damaged.message, /damaged/);
});

Deno.test("a text sealed for several recipients opens with each, and with stock age", async () => {
  await inFolder(async (folder) => {
    const keys = [await generateIdentity(), await generateIdentity()];
    const text = '{"tables": 12, "name": "größe"}\n';
    const sealed = await sealText(text, keys.map((key) => key.recipient));
    for (const { identity } of keys) {
      assert.equal(await openText(sealed, [identity]), text);
      await Deno.writeTextFile(`${folder}/key`, identity);
      assert.equal(decode(await shell("age -d -i key", folder, encode(sealed))), text);
    }
  });
});

Deno.test("a text sealed by stock age opens here", async () => {
  await inFolder(async (folder) => {
    const { identity, recipient } = await generateIdentity();
    const sealed = decode(await shell(`age -a -r ${recipient}`, folder, encode("hello")));
    assert.equal(await openText(sealed, [(await generateIdentity()).identity, identity]), "hello");
  });
});

Deno.test("without a fitting key the error says for what kind of recipient the text is", async () => {
  const sealed = await sealText("x", [(await generateIdentity()).recipient]);
  const other = (await generateIdentity()).identity;
  const error = await failure(openText(sealed, [other]));
  assert.equal(error.code, "key");
  assert.match(error.message, /does not fit.*X25519/);
  assert.match((await failure(openText(sealed, [other, other]))).message, /none of 2 identities fits/);
  assert.match((await failure(openText(sealed, []))).message, /no identity is given/);
});

Deno.test("a damaged text is a verification error", async () => {
  const { identity, recipient } = await generateIdentity();
  const file = armor.decode(await sealText("x", [recipient]));
  file[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
  assert.equal((await failure(openText(armor.encode(file), [identity]))).code, "verification");
  assert.equal((await failure(openText("nonsense", [identity]))).code, "verification");
});
