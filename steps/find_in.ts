/** Finds an artifact in stores that are opened for the search only. */
import type { Store } from "../storage/storage.ts";
import type { Environment } from "./environment.ts";
import { findArtifact, type Found } from "./find_artifact.ts";

/** Like {@linkcode findArtifact}, by the stores' URLs. */
export async function findIn(
  environment: Environment,
  reference: string,
  urls: readonly string[],
): Promise<Found> {
  const stores: Store[] = [];
  try {
    for (const url of urls) stores.push(await environment.openStore(url));
    return await findArtifact(reference, stores, environment.openStore);
  } finally {
    for (const store of stores) await store.close();
  }
}
