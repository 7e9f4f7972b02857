/**
 * Keys and small texts in age v1 (https://age-encryption.org/v1), by the library of age's author.
 *
 * Everything made here opens with the stock `age`, and the other way round. The data path, which is too fast for
 * the library's own cipher, is in `age_stream.ts`.
 *
 * The library takes 30 ms to load, and many commands never need it: whoever may not need it imports this file (and
 * `age_stream.ts`) where it is used.
 */
import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { CairnError } from "../errors.ts";

const ARMOR_BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const VERSION_LINE = "age-encryption.org/v1";
const NO_MATCH = "no identity matched any of the file's recipients";

/** A new X25519 identity (`AGE-SECRET-KEY-1…`) and the recipient (`age1…`) that belongs to it. */
export async function generateIdentity(): Promise<{ identity: string; recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The recipient of an identity. Throws `key` when the text is no identity. */
export async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity.trim());
  } catch {
    throw notAnIdentity();
  }
}

/** Throws `usage` unless the text is a recipient that can be encrypted for (X25519, post-quantum, tag). */
export function checkRecipient(text: string): void {
  try {
    new Encrypter().addRecipient(text);
  } catch (cause) {
    if (/^AGE-SECRET-KEY-/i.test(text)) {
      throw new CairnError("usage", "a recipient was expected, but this is a secret identity", {
        hint: "give the public key, which begins with age1; keep the identity to yourself",
      });
    }
    throw new CairnError("usage", `"${text}" is not an age recipient`, {
      hint: "a recipient begins with age1 and is printed by `cairn key generate` or `age-keygen -y`",
      cause,
    });
  }
}

/**
 * The identities of an identity file: one a line, with blank lines and `#` comments between them.
 *
 * Throws `key` when there is none, when a line is something else, or when the file itself is encrypted.
 */
export function parseIdentities(fileText: string): string[] {
  if (fileText.startsWith(ARMOR_BEGIN) || fileText.startsWith(VERSION_LINE)) {
    throw new CairnError("key", "the identity file is itself encrypted with a passphrase", {
      hint: "give its passphrase too",
    });
  }
  const identities: string[] = [];
  for (const [index, line] of fileText.split(/\r?\n/).entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    try {
      decrypterFor([text]);
    } catch {
      throw new CairnError("key", `line ${index + 1} of the identity file is not an age identity`, {
        hint: "each line is an identity that begins with AGE-SECRET-KEY-, or a comment that begins with #",
      });
    }
    identities.push(text);
  }
  if (identities.length > 0) return identities;
  throw new CairnError("key", "the identity file holds no identity", {
    hint: "it should have a line that begins with AGE-SECRET-KEY-1",
  });
}

/**
 * Encrypts an identity with a passphrase (an age file with a scrypt stanza, as `age -p` makes it).
 *
 * `workFactor` is the logarithm of scrypt's cost: 18, age's own default, takes about a second.
 */
export async function protectIdentity(
  identity: string,
  passphrase: string,
  workFactor = 18,
): Promise<Uint8Array<ArrayBuffer>> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  return new Uint8Array(await encrypter.encrypt(`${identity}\n`));
}

/**
 * Opens what {@linkcode protectIdentity} or `age -p` made of an identity file. Several identities are given one a
 * line.
 *
 * Throws `key` when the passphrase is wrong or the file is not such a file.
 */
export async function unprotectIdentity(file: Uint8Array, passphrase: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const start = new TextDecoder().decode(file.subarray(0, ARMOR_BEGIN.length));
  let text: string;
  try {
    const binary = start === ARMOR_BEGIN ? armor.decode(new TextDecoder().decode(file)) : file;
    text = await decrypter.decrypt(binary, "text");
  } catch (cause) {
    throw isNoMatch(cause)
      ? new CairnError("key", "the passphrase does not open the identity file", {
        hint: "check the passphrase",
      })
      : new CairnError("key", "the identity file is damaged, or not encrypted with a passphrase", { cause });
  }
  return parseIdentities(text).join("\n");
}

/** Encrypts a text for all of `recipients`; the result is ASCII-armored. */
export async function sealText(text: string, recipients: readonly string[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
}

/**
 * Decrypts what {@linkcode sealText} made.
 *
 * Throws `key` when no identity fits, and `verification` when the text is damaged.
 */
export async function openText(armored: string, identities: readonly string[]): Promise<string> {
  const decrypter = decrypterFor(identities);
  let file: Uint8Array = new Uint8Array();
  try {
    file = armor.decode(armored);
    return await decrypter.decrypt(file, "text");
  } catch (cause) {
    if (isNoMatch(cause)) throw noKey(file, identities.length);
    throw new CairnError("verification", "the encrypted text is damaged", { cause });
  }
}

/** A decrypter that knows these identities. Throws `key` when one of them is none. */
export function decrypterFor(identities: readonly string[]): Decrypter {
  const decrypter = new Decrypter();
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw notAnIdentity();
    }
  }
  return decrypter;
}

/** True for the library's error when none of the identities fits. */
export function isNoMatch(error: unknown): boolean {
  return error instanceof Error && error.message === NO_MATCH;
}

/** The cause is left out on purpose: its message may quote the secret. */
function notAnIdentity(): CairnError {
  return new CairnError("key", "the text is not an age identity", {
    hint: "an identity begins with AGE-SECRET-KEY-1; make one with `cairn key generate`",
  });
}

/** The error for a file that none of `tried` identities opens; names the kinds of recipients in its header. */
export function noKey(header: Uint8Array, tried: number): CairnError {
  const kinds = new Set<string>();
  for (const line of new TextDecoder().decode(header.subarray(0, 1 << 16)).split("\n")) {
    if (line.startsWith("--- ")) break;
    const kind = /^-> ([\x21-\x7e]{1,40})/.exec(line)?.[1];
    if (kind !== undefined && !kind.endsWith("-grease")) kinds.add(kind);
  }
  const made = kinds.size === 0 ? "" : `; it is made for ${[...kinds].sort().join(", ")}`;
  const given = tried === 1 ? "the identity given does not fit" : `none of ${tried} identities fits`;
  return new CairnError("key", `${tried === 0 ? "it is encrypted and no identity is given" : given}${made}`, {
    hint: "give the identity that belongs to a recipient of this backup",
  });
}
