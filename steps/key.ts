/** Makes age keys, and proves that a key opens what is made for it, before somebody has to rely on that. */
import { join } from "node:path";
import * as v from "valibot";
import { CairnError } from "../errors.ts";
import {
  checkRecipient,
  generateIdentity,
  openText,
  parseIdentities,
  recipientOf,
  sealText,
  unprotectIdentity,
} from "../streams/age.ts";
import { makePrivateFolder, writeDurable } from "../streams/durable.ts";
import { createTextFile } from "./new_file.ts";
import type { Ask } from "./secret.ts";

/** A key that was made. */
export interface NewKey {
  /** The identity file, absolute. */
  readonly file: string;
  /** The public key: whoever has it can encrypt for this key, and nothing else. */
  readonly recipient: string;
}

/** What a key opens. */
export interface KeyProof {
  /** Recipients for which a probe was encrypted and opened with this key. */
  readonly opens: readonly string[];
  /** Recipients that were asked for and that this key does not open. */
  readonly foreign: readonly string[];
}

/** Where a key is kept when nobody says. */
export function defaultKeyFile(home: string): string {
  return join(home, "key.txt");
}

/**
 * Makes an identity file in the form of `age-keygen`, 0600 and durable. Throws `target_exists` rather than replace a
 * file: a key that is gone takes its backups with it.
 */
export async function createKeyFile(path: string, now: Date): Promise<NewKey> {
  const { identity, recipient } = await generateIdentity();
  const created = now.toISOString().replace(/\.\d+Z$/, "Z");
  const text = `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
  const file = await createTextFile(path, text, "a key", "write the new key elsewhere with --output");
  return { file, recipient };
}

/** Throws `usage` unless each of these is a recipient that can be encrypted for. */
export function checkRecipients(recipients: readonly string[]): void {
  for (const recipient of recipients) checkRecipient(recipient);
}

/** The recipients of an identity file. Throws `key` when it cannot be read or holds no identity. */
export async function recipientsOfFile(path: string, ask?: Ask): Promise<string[]> {
  return await recipientsOf(await readIdentityFile(path, ask));
}

/**
 * Encrypts a probe for each recipient of the identities in a file, and for each of `wanted`, and opens it with that
 * file alone. `ask` is needed where the file itself is protected by a passphrase. Throws `key` when the file holds no
 * identity or does not open what is made for it, `usage` when one of `wanted` is no recipient.
 */
export async function proveKey(path: string, wanted: readonly string[], ask?: Ask): Promise<KeyProof> {
  const identities = await readIdentityFile(path, ask);
  checkRecipients(wanted);
  const own = await recipientsOf(identities);
  const opens: string[] = [];
  const foreign: string[] = [];
  for (const recipient of new Set([...own, ...wanted])) {
    if (await opensProbe(recipient, identities)) opens.push(recipient);
    else if (own.includes(recipient)) {
      throw new CairnError("key", `${path} does not open what is encrypted for ${recipient}`, {
        hint: "the file is damaged: make a new key with `cairn key generate`",
      });
    } else foreign.push(recipient);
  }
  return { opens, foreign };
}

async function opensProbe(recipient: string, identities: readonly string[]): Promise<boolean> {
  const probe = crypto.randomUUID();
  const sealed = await sealText(probe, [recipient]);
  try {
    return await openText(sealed, identities) === probe;
  } catch (error) {
    if (error instanceof CairnError && error.code === "key") return false;
    throw error;
  }
}

async function recipientsOf(identities: readonly string[]): Promise<string[]> {
  return await Promise.all(identities.map(recipientOf));
}

/**
 * The identities in a file in the form of `age-keygen`; one that is protected by a passphrase is asked for. Throws `key`.
 */
export async function readIdentityFile(path: string, ask: Ask): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    throw new CairnError("key", `the key file ${path} cannot be read`, {
      cause,
      hint: "name the file with your age identity: --identity key.txt, or make one with `cairn key generate`",
    });
  }
  try {
    return parseIdentities(new TextDecoder().decode(bytes));
  } catch (error) {
    // Only a file that is itself encrypted is worth a question; the text of age files begins like this.
    const isProtected = /^(age-encryption\.org\/v1|-----BEGIN AGE)/.test(new TextDecoder().decode(bytes));
    const passphrase = isProtected ? await ask?.(`passphrase of ${path}: `) : undefined;
    if (passphrase === undefined) throw named(path, error);
    return parseIdentities(await unprotectIdentity(bytes, passphrase));
  }
}

function named(path: string, error: unknown): unknown {
  if (!(error instanceof CairnError)) return error;
  return new CairnError(error.code, `${path} cannot be used as a key: ${error.message}`, {
    hint: error.hint,
    cause: error.cause,
  });
}

const ProofsSchema = v.object({ version: v.literal(1), proven: v.record(v.string(), v.string()) });

/**
 * Remembers in `<home>/key-check.json` that the recipients of a proof were opened at `now`. Two at once: the later
 * one wins, and the other's recipients are only warned of again.
 */
export async function rememberProof(home: string, proof: KeyProof, now: Date): Promise<void> {
  const proven = Object.fromEntries(await readProofs(home));
  for (const recipient of proof.opens) proven[recipient] = now.toISOString();
  await makePrivateFolder(home);
  const text = JSON.stringify({ version: 1, proven }, null, 2);
  await writeDurable(proofFile(home), new TextEncoder().encode(`${text}\n`), { create: false });
}

/** When each recipient was last proven, as ISO 8601. A file that cannot be understood proves nothing. */
export async function readProofs(home: string): Promise<ReadonlyMap<string, string>> {
  try {
    const parsed = v.safeParse(ProofsSchema, JSON.parse(await Deno.readTextFile(proofFile(home))));
    return new Map(parsed.success ? Object.entries(parsed.output.proven) : []);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return new Map();
    throw error;
  }
}

/** Those of `recipients` that no key was ever proven for on this host. */
export async function unprovenRecipients(home: string, recipients: readonly string[]): Promise<string[]> {
  const proofs = await readProofs(home);
  return recipients.filter((recipient) => !proofs.has(recipient));
}

function proofFile(home: string): string {
  return join(home, "key-check.json");
}
