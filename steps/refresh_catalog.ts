/**
 * Brings the catalog up to what a store holds: one listing per label, and only unknown manifests are read. In a local
 * store a folder that was not touched since it was listed is not even listed.
 */
import { CairnError, toCairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { idOfManifest } from "./artifact.ts";
import { openCatalog } from "./catalog.ts";
import type { Manifest } from "./manifest.ts";
import { labelsOf, namesIn } from "./entries.ts";
import { readManifest } from "./read_manifest.ts";

/** File systems count time in steps; the coarsest, of FAT, are 2 s. */
const SETTLED_MILLISECONDS = 2000;

/** That of a large database lists thousands of parts: thousands of them are never held at once. */
const MANIFESTS_HELD = 50;

/** What a refresh found. */
export interface Refreshed {
  readonly added: number;
  readonly removed: number;
  /** Manifests that could not be read, with the reason. */
  readonly damaged: readonly { readonly manifest: string; readonly reason: string }[];
}

/** How a refresh is done. */
export interface RefreshOptions {
  /** Every manifest is read again. */
  readonly anew?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970, for tests. */
  now?(): number;
}

/** Refreshes the entries of one store. */
export async function refreshCatalog(
  home: string,
  store: Store,
  options: RefreshOptions = {},
): Promise<Refreshed> {
  const now = options.now?.() ?? Date.now();
  const catalog = openCatalog(home);
  try {
    if (options.anew) catalog.clear(store.url);
    const labels = await labelsOf(store, options.signal);
    const known = catalog.labels(store.url);
    if (labels.length === 0 && known.length > 0) throw emptied(store, known.length);
    let [added, removed] = [0, 0];
    const damaged: { manifest: string; reason: string }[] = [];
    for (const label of new Set([...labels, ...known])) {
      const stamp = await stampOf(store, label, now);
      if (stamp !== undefined && stamp === catalog.stamp(store.url, label)) continue;
      const gone = catalog.keys(store.url, label);
      let fresh: { key: string; manifest: Manifest }[] = [];
      const keep = () => {
        const batch = fresh;
        fresh = [];
        catalog.together(() => batch.forEach(({ key, manifest }) => catalog.add(store.url, key, manifest)));
        added += batch.length;
      };
      const damagedBefore = damaged.length;
      for await (const name of namesIn(store, label, options.signal)) {
        const key = `${label}/${name}`;
        if (idOfManifest(name) === undefined || gone.delete(key)) continue;
        try {
          fresh.push({ key, manifest: await readManifest(store, key, options.signal) });
        } catch (error) {
          options.signal?.throwIfAborted();
          damaged.push({ manifest: key, reason: toCairnError(error).message });
        }
        if (fresh.length >= MANIFESTS_HELD) keep();
      }
      keep();
      catalog.together(() => {
        for (const key of gone) catalog.remove(store.url, key);
        // What is damaged is to be told again.
        catalog.setStamp(store.url, label, damaged.length > damagedBefore ? undefined : stamp);
      });
      removed += gone.size;
    }
    return { added, removed, damaged };
  } finally {
    catalog.close();
  }
}

/**
 * What changes whenever a name appears in a local folder or goes; undefined for other stores, and for a folder that was
 * changed so lately that the next change might bear the same time.
 */
async function stampOf(store: Store, label: string, now: number): Promise<string | undefined> {
  const path = store.capabilities.path?.(label);
  const info = path === undefined ? undefined : await Deno.lstat(path).catch(() => undefined);
  if (!info?.isDirectory || !info.mtime || !info.ctime) return undefined;
  const [modified, changed] = [info.mtime.getTime(), info.ctime.getTime()];
  if (Math.max(modified, changed) > now - SETTLED_MILLISECONDS) return undefined;
  return `${info.dev} ${info.ino} ${modified} ${changed}`;
}

/** A store that is suddenly empty is more likely a disk that is not mounted than a wish. */
function emptied(store: Store, labels: number): CairnError {
  const databases = labels === 1 ? "one database" : `${labels} databases`;
  return new CairnError("unreachable", `${store.url} is empty, and held backups of ${databases}`, {
    hint: "is its disk mounted? If it was emptied on purpose: `cairn catalog rebuild`",
  });
}
