/** The options by which commands that read artifacts get their keys. */
import { join, resolve } from "node:path";
import type { SecretReference } from "../steps/job.ts";
import type { Session } from "./session.ts";

/** `--identity` and `--passphrase-file`. */
export interface KeyOptions {
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
}

/** Where the keys are: the files named, else the state folder's `key.txt` when it is there. */
export async function chooseKeys(
  session: Session,
  options: KeyOptions,
): Promise<{ identities: string[]; passphrase: SecretReference | null }> {
  const passphrase = options.passphraseFile === undefined ? null : { file: resolve(options.passphraseFile) };
  if (options.identity !== undefined) {
    return { identities: options.identity.map((file) => resolve(file)), passphrase };
  }
  const own = join(session.home, "key.txt");
  const isThere = await Deno.stat(own).then((stat) => stat.isFile, () => false);
  return { identities: isThere ? [own] : [], passphrase };
}
