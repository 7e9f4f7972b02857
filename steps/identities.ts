/** Finds the keys that open an artifact. They live in memory only while a run needs them. */
import { CairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { artifactKeys } from "./artifact.ts";
import type { Environment } from "./environment.ts";
import type { SecretReference } from "./job.ts";
import type { Manifest } from "./manifest.ts";
import { readBytes } from "./read_manifest.ts";
import { resolveSecret } from "./secret.ts";

/** Where the keys are to be found. */
export interface KeySource {
  /** Files with age identities. */
  readonly identities: readonly string[];
  readonly passphrase: SecretReference | null;
}

/** The identities that may open an artifact; none when it is not encrypted. Throws `key`. */
export async function identitiesFor(
  environment: Environment,
  store: Store,
  label: string,
  manifest: Manifest,
  source: KeySource,
  signal: AbortSignal,
): Promise<string[]> {
  if (manifest.encryption === "none") return [];
  if (manifest.encryption === "passphrase") {
    const passphrase = await resolveSecret(
      source.passphrase ?? { ask: `passphrase of ${manifest.id}: ` },
      environment.ask,
    );
    const file = await readBytes(store, artifactKeys(label, manifest).identity, signal);
    const { parseIdentities, unprotectIdentity } = await import("../streams/age.ts");
    return parseIdentities(await unprotectIdentity(file, passphrase));
  }
  const { readIdentityFile } = await import("./key.ts");
  const found: string[] = [];
  for (const file of source.identities) found.push(...await readIdentityFile(file, environment.ask));
  if (found.length > 0) return found;
  throw new CairnError("key", `${manifest.id} is encrypted, and no key was given`, {
    hint: "name the file with your age identity: --identity key.txt",
  });
}
