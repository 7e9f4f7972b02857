/** The download stage: every part is there and has its stated size. A local store is then read in place. */
import { type Attempt, type Context, NO_RETRY } from "../../engine/workflow.ts";
import { CairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { artifactKeys } from "../artifact.ts";
import type { Located } from "./locate.ts";

/** Checks that all parts can be read before the first one is decoded. Throws `verification` and names the part. */
export async function download(
  context: Context,
  store: Store,
  { manifest, label }: Located,
  attempt: Attempt,
): Promise<void> {
  const { folder } = artifactKeys(label, manifest);
  await context.step(`download/${attempt.number}`, async (attempt) => {
    for (const [index, part] of manifest.parts.entries()) {
      checkPartSize(
        manifest.id,
        part,
        await store.stat(`${folder}/${part.name}`, { signal: attempt.signal }),
      );
      attempt.progress(index + 1, manifest.parts.length);
    }
    return null;
  }, NO_RETRY); // the load around it tries again
}

/** Throws `verification` when a part is missing or has another size. */
export function checkPartSize(
  id: string,
  part: { readonly name: string; readonly storedBytes: number },
  found: { readonly bytes: number } | undefined,
): void {
  const name = `part ${part.name.slice(0, part.name.indexOf("."))} of ${id}`;
  const hint = "`cairn verify` tells which artifacts are whole; restore another one";
  if (found === undefined) throw new CairnError("verification", `${name} is missing`, { hint });
  if (found.bytes === part.storedBytes) return;
  throw new CairnError(
    "verification",
    `${name} is damaged: it has ${found.bytes} bytes, the manifest says ${part.storedBytes}`,
    { hint },
  );
}
