/** The upload stage: sealed parts get their names in the store, create-only, and their files go. */
import type { Context } from "../../engine/workflow.ts";
import type { Store } from "../../storage/storage.ts";

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
  part: { readonly file: string; readonly key: string; readonly storedBytes: number },
): Promise<void> {
  await context.step(step, async (attempt) => {
    await store.put(part.key, { file: part.file }, "create", { signal: attempt.signal });
    attempt.progress(part.storedBytes, part.storedBytes);
    return null;
  });
  await Deno.remove(part.file).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
