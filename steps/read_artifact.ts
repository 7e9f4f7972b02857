/** Reads an artifact's manifest, and its private part as far as a key is at hand. */
import { CairnError } from "../errors.ts";
import type { Environment } from "./environment.ts";
import type { Found } from "./find_artifact.ts";
import { identitiesFor, type KeySource } from "./identities.ts";
import { type Manifest, openPrivate, type PrivatePart } from "./manifest.ts";
import { openOwned } from "./open_owned.ts";
import { readManifest } from "./read_manifest.ts";

/** What could be read. */
export interface ArtifactView {
  readonly manifest: Manifest;
  /** The private part, unless it stayed closed. */
  readonly opened: PrivatePart | undefined;
  /** Why it stayed closed. */
  readonly closedBecause: CairnError | undefined;
}

/** Reads an artifact; nobody is asked for a passphrase. */
export async function readArtifact(
  environment: Environment,
  found: Found,
  keys: KeySource,
  signal: AbortSignal,
): Promise<ArtifactView> {
  await using store = await openOwned(environment, found.store);
  const manifest = await readManifest(store, found.manifest, signal);
  try {
    const quiet = { ...environment, ask: undefined };
    const identities = await identitiesFor(quiet, store, found.label, manifest, keys, signal);
    return { manifest, opened: await openPrivate(manifest, identities), closedBecause: undefined };
  } catch (error) {
    if (!(error instanceof CairnError) || error.code !== "key") throw error;
    return { manifest, opened: undefined, closedBecause: error };
  }
}
