/** Finds the artifact that a person means: an id or its beginning, `latest`, a manifest file or a folder of parts. */
import { basename, dirname, resolve } from "node:path";
import { CairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { idOfManifest, isId, manifestKey } from "./artifact.ts";
import { labelsOf, namesIn } from "./entries.ts";

/** Where an artifact stands. */
export interface Found {
  readonly store: string;
  /** The folder in the store, which is the label unless somebody moved it. */
  readonly label: string;
  readonly id: string;
  /** The key of the manifest. */
  readonly manifest: string;
}

/**
 * Finds an artifact in the given stores, which are asked themselves (never the catalog). Throws `not_found`, and `usage` when
 * a beginning fits several artifacts.
 */
export async function findArtifact(
  reference: string,
  stores: readonly Store[],
  openStore: (url: string) => Promise<Store>,
): Promise<Found> {
  if (reference.includes("/") || reference.endsWith(".manifest.json")) {
    return await findFile(reference, openStore);
  }
  const [word = "", label] = reference.split(":", 2);
  if (label !== undefined && word !== "latest") throw unknown(reference, stores);

  const found = new Map<string, Found>();
  for (const store of stores) {
    for (const folder of label === undefined ? await labelsOf(store) : [label]) {
      for (const id of await ids(store, folder)) {
        if (word !== "latest" && !id.startsWith(word)) continue;
        // The same artifact in a second store is the same artifact: the first store named wins.
        if (!found.has(id)) {
          found.set(id, { store: store.url, label: folder, id, manifest: manifestKey(folder, id) });
        }
      }
    }
  }
  const newestFirst = [...found.values()].sort((a, b) => a.id < b.id ? 1 : -1);
  const [first, second] = newestFirst;
  if (first === undefined || word === "") throw unknown(reference, stores);
  if (word === "latest") return requireOneLabel(newestFirst, first);
  if (second !== undefined && first.id !== word) {
    throw new CairnError("usage", `"${reference}" is the beginning of ${found.size} artifacts`, {
      hint: `for example ${first.id} and ${second.id}: say more of it`,
    });
  }
  return first;
}

function requireOneLabel(all: readonly Found[], first: Found): Found {
  const labels = [...new Set(all.map((found) => found.label))].sort();
  if (labels.length === 1) return first;
  throw new CairnError("usage", `"latest" could mean one of ${labels.length} databases`, {
    hint: `say which, for example latest:${first.label} (there are ${labels.join(", ")})`,
  });
}

/** A manifest file, the folder of its parts, or one of those in a store that is named by its path. */
async function findFile(reference: string, openStore: (url: string) => Promise<Store>): Promise<Found> {
  const path = resolve(reference.replace(/\/+$/, ""));
  const name = basename(path);
  const id = idOfManifest(name) ?? name.slice(0, name.indexOf("."));
  if (!isId(id)) {
    throw new CairnError("not_found", `${reference} is neither a manifest nor a folder of parts`, {
      hint: "a manifest is called <id>.manifest.json, and its parts lie beside it in <id>.full.<format>",
    });
  }
  const folder = dirname(path);
  const store = await openStore(dirname(folder));
  const label = basename(folder);
  const manifest = manifestKey(label, id);
  if (await store.stat(manifest) === undefined) {
    throw new CairnError("not_found", `there is no manifest ${manifest} in ${store.url}`);
  }
  return { store: store.url, label, id, manifest };
}

async function ids(store: Store, label: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of namesIn(store, label)) {
    const id = idOfManifest(name);
    if (id !== undefined) found.push(id);
  }
  return found;
}

function unknown(reference: string, stores: readonly Store[]): CairnError {
  const where = stores.map((store) => store.url).join(", ");
  return new CairnError("not_found", `there is no artifact "${reference}" in ${where || "any known store"}`, {
    hint: "`cairn list` shows what there is; name another place with --from",
  });
}
