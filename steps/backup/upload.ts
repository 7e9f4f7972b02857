/** The upload stage: sealed parts get their names in the store, create-only, and their files go. */
import type { Context } from "../../engine/workflow.ts";
import { CairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import type { ArtifactKeys } from "../artifact.ts";
import { requireTake } from "./take.ts";

/** How many parts are sent at once. */
export const UPLOADS_AT_ONCE = 4;

/**
 * Publishes one sealed part and removes its file. The order is: publish, journal, remove; a crash in between finds
 * the object there ("same") or a journaled part whose file is removed with the run's folder.
 */
export async function uploadPart(
  context: Context,
  store: Store,
  step: string,
  take: ArtifactKeys,
  part: { readonly file: string; readonly key: string; readonly storedBytes: number },
): Promise<void> {
  await context.step(step, async (attempt) => {
    try {
      await store.put(part.key, { file: part.file }, "create", { signal: attempt.signal });
    } catch (error) {
      // The sealed file of a local store vanishes with the store.
      if (error instanceof CairnError && error.code === "not_found") {
        await requireTake(store, take, attempt.signal);
      }
      throw error;
    }
    attempt.progress(part.storedBytes, part.storedBytes);
    return null;
  });
  await Deno.remove(part.file).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
