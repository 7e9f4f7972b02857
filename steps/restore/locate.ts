/** The locate stage: the manifest, read once and journaled, so that a resumed restore cannot meet another one. */
import type { Context } from "../../engine/workflow.ts";
import type { Store } from "../../storage/storage.ts";
import type { Manifest } from "../manifest.ts";
import { parseManifestAt, readObject } from "../read_manifest.ts";

/** The manifest a run is about, and the folder (label) in which it stands. */
export interface Located {
  readonly manifest: Manifest;
  readonly label: string;
}

/** Reads the manifest; throws `not_found` or `verification`. */
export async function locate(context: Context, store: Store, key: string): Promise<Located> {
  const text = await context.step("locate", async (attempt) => {
    const text = await readObject(store, key, attempt.signal);
    parseManifestAt(text, key); // a damaged manifest is never journaled
    return text;
  });
  return { manifest: parseManifestAt(text, key), label: key.slice(0, key.lastIndexOf("/")) };
}
