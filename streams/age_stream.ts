/**
 * The frame of an age v1 file: its header and its payload key.
 *
 * Header and file key come from the age library; only the payload's chunks (`chunks.ts`) are sealed by a faster
 * cipher. Every file has a fresh file key, which is never written anywhere. Format: https://c2sp.org/age
 */
import { hkdfSync } from "node:crypto";
import { Encrypter } from "age-encryption";
import { CairnError } from "../errors.ts";
import { NONCE_BYTES, TAG_BYTES } from "./age_layout.ts";
import { decrypterFor, isNoMatch, noKey } from "./age.ts";

const FILE_KEY_BYTES = 16;

/** What begins an age file, and the key of what follows. */
export interface AgePrefix {
  /** Header and payload nonce: the first bytes of the file. */
  readonly prefix: Uint8Array<ArrayBuffer>;
  /** The payload key. */
  readonly key: Uint8Array<ArrayBuffer>;
}

/** Begins a new age file for all of `recipients`, with a fresh key. */
export async function beginAge(recipients: readonly string[]): Promise<AgePrefix> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  // A recipient that hears the file key and adds nothing to the header: the library has no other way to tell it.
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = key.slice();
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array());
  if (fileKey?.length !== FILE_KEY_BYTES) throw new Error("the age library did not tell its file key");
  // The payload of an empty file is one tag.
  const prefix = empty.slice(0, empty.length - TAG_BYTES);
  return { prefix, key: payloadKey(fileKey, prefix.subarray(-NONCE_BYTES)) };
}

/**
 * The payload key of a file that begins with `prefix` (header and nonce).
 *
 * Throws `key` when no identity fits, and `verification` when the header is malformed or was changed.
 */
export async function openAge(
  prefix: Uint8Array,
  identities: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const header = prefix.slice(0, prefix.length - NONCE_BYTES);
  const decrypter = decrypterFor(identities);
  try {
    return payloadKey(await decrypter.decryptHeader(header), prefix.subarray(-NONCE_BYTES));
  } catch (cause) {
    if (isNoMatch(cause)) throw noKey(header, identities.length);
    throw new CairnError("verification", "its age header is damaged", { cause });
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}
