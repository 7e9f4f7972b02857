/** Reads manifests and other small objects out of a store, with a bound on their size. */
import { CairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { idOfManifest, manifestKey } from "./artifact.ts";
import { namesIn } from "./entries.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

/** No honest manifest is larger: 100,000 parts make one of about 20 MB. */
const MAX_BYTES = 64 * 2 ** 20;

/** The whole text of a small object. Throws `not_found`, or `verification` when it is absurdly large. */
export async function readObject(store: Store, key: string, signal?: AbortSignal): Promise<string> {
  return new TextDecoder().decode(await readBytes(store, key, signal));
}

/** The bytes of a small object, like {@linkcode readObject}. */
export async function readBytes(
  store: Store,
  key: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = await store.get(key, { signal, length: MAX_BYTES + 1 });
  const bytes = await new Response(stream).bytes();
  if (bytes.length > MAX_BYTES) {
    throw new CairnError("verification", `${key} is too large to be what it says`);
  }
  return bytes;
}

/** Reads and parses a manifest, whose id must be the one in its name. */
export async function readManifest(store: Store, key: string, signal?: AbortSignal): Promise<Manifest> {
  return parseManifestAt(await readObject(store, key, signal), key);
}

/** Parses the text of the manifest that stands at `key`. */
export function parseManifestAt(text: string, key: string): Manifest {
  const manifest = parseManifest(text, key);
  if (idOfManifest(key.slice(key.lastIndexOf("/") + 1)) === manifest.id) return manifest;
  throw new CairnError("verification", `the manifest ${key} is that of ${manifest.id}`, {
    hint: "it was renamed or swapped with another",
  });
}

/**
 * The newest manifest of a label that can be read, or undefined when there is none. A damaged one is passed over: it must not
 * keep the database from being backed up again.
 */
export async function newestManifest(
  store: Store,
  label: string,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  const ids: string[] = [];
  for await (const name of namesIn(store, label, signal)) {
    const id = idOfManifest(name);
    if (id !== undefined) ids.push(id);
  }
  for (const id of ids.reverse()) {
    try {
      return await readManifest(store, manifestKey(label, id), signal);
    } catch (error) {
      if (!(error instanceof CairnError) || error.code !== "verification") throw error;
    }
  }
  return undefined;
}
