/** Brings the catalog up to what a store holds: one listing per label, and only unknown manifests are read. */
import { toCairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { idOfManifest } from "./artifact.ts";
import { type Catalog, openCatalog } from "./catalog.ts";
import type { Manifest } from "./manifest.ts";
import { labelNames, readManifest } from "./read_manifest.ts";

/** What a refresh found. */
export interface Refreshed {
  readonly added: number;
  readonly removed: number;
  /** Manifests that could not be read, with the reason. */
  readonly damaged: readonly { readonly manifest: string; readonly reason: string }[];
}

/** Refreshes the entries of one store; with `anew` every manifest is read again. */
export async function refreshCatalog(
  home: string,
  store: Store,
  options: { readonly anew?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Refreshed> {
  const catalog = openCatalog(home);
  try {
    if (options.anew) catalog.clear(store.url);
    let [added, removed] = [0, 0];
    const damaged: { manifest: string; reason: string }[] = [];
    for (const label of await labelsOf(store, catalog, options.signal)) {
      const gone = catalog.keys(store.url, label);
      const fresh: { key: string; manifest: Manifest }[] = [];
      for await (const name of labelNames(store, label, options.signal)) {
        const key = `${label}/${name}`;
        if (idOfManifest(name) === undefined || gone.delete(key)) continue;
        try {
          fresh.push({ key, manifest: await readManifest(store, key, options.signal) });
        } catch (error) {
          damaged.push({ manifest: key, reason: toCairnError(error).message });
        }
      }
      catalog.together(() => {
        for (const { key, manifest } of fresh) catalog.add(store.url, key, manifest);
        for (const key of gone) catalog.remove(store.url, key);
      });
      [added, removed] = [added + fresh.length, removed + gone.size];
    }
    return { added, removed, damaged };
  } finally {
    catalog.close();
  }
}

/** The labels in the store and those of which the catalog still has entries. */
async function labelsOf(store: Store, catalog: Catalog, signal?: AbortSignal): Promise<Set<string>> {
  const labels = new Set(catalog.labels(store.url));
  let after: string | undefined;
  do {
    const page = await store.list("", after === undefined ? { signal } : { signal, after });
    for (const entry of page.entries) if (entry.kind === "folder") labels.add(entry.name);
    after = page.next;
  } while (after !== undefined);
  return labels;
}
