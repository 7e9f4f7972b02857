/** Export: the plain dump of an artifact as a stream, for a pipe into the database's own client. */
import { createPool } from "../streams/pool.ts";
import type { Environment } from "./environment.ts";
import type { Found } from "./find_artifact.ts";
import { identitiesFor, type KeySource } from "./identities.ts";
import { openPrivate } from "./manifest.ts";
import { openOwned } from "./open_owned.ts";
import { readManifest } from "./read_manifest.ts";
import { decode } from "./restore/decode.ts";

/** Writes the plain dump to `output`, which is closed only when every checksum was right, and aborted otherwise. */
export async function exportArtifact(
  environment: Environment,
  found: Found,
  keys: KeySource,
  output: WritableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<void> {
  await using store = await openOwned(environment, found.store);
  const manifest = await readManifest(store, found.manifest, signal);
  const identities = await identitiesFor(environment, store, found.label, manifest, keys, signal);
  const opened = await openPrivate(manifest, identities);
  await using pool = createPool();
  await decode({ manifest, label: found.label }, { store, pool, identities, opened, signal }).pipeTo(output, {
    signal,
  });
}
