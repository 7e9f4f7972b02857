/**
 * The verify workflow: is every part there, with its size and checksum? With `readData` the artifact is also decoded to its
 * end and compared with the checksum of the plain dump, which needs the key.
 */
import { createHash } from "node:crypto";
import type { Context, Workflow } from "../engine/workflow.ts";
import { CairnError } from "../errors.ts";
import type { Store } from "../storage/storage.ts";
import { freeBytes } from "../streams/collect.ts";
import { createPool } from "../streams/pool.ts";
import { artifactKeys } from "./artifact.ts";
import type { Environment } from "./environment.ts";
import { identitiesFor } from "./identities.ts";
import type { VerifyJob } from "./job.ts";
import { type ManifestPart, openPrivate } from "./manifest.ts";
import { openOwned } from "./open_owned.ts";
import { decode } from "./restore/decode.ts";
import { checkPartSize } from "./restore/download.ts";
import { locate } from "./restore/locate.ts";

/** What was proven. */
export type VerifyResult = {
  readonly id: string;
  readonly label: string;
  readonly parts: number;
  readonly storedBytes: number;
  /** Bytes of plain dump that were decoded and compared; null without `readData`. */
  readonly plainBytes: number | null;
};

/** Makes the verify workflow for the surroundings it runs in. */
export function verifyWorkflow(environment: Environment): Workflow<VerifyJob, VerifyResult> {
  return {
    name: "verify",
    version: 1,
    run: (context, job) => verify(context, environment, job),
    clean: () => Promise.resolve(), // it leaves nothing
  };
}

async function verify(context: Context, environment: Environment, job: VerifyJob): Promise<VerifyResult> {
  await using store = await openOwned(environment, job.store);
  const located = await locate(context, store, job.manifest);
  const { manifest, label } = located;
  const { folder } = artifactKeys(label, manifest);
  const openKey = async (signal: AbortSignal) => {
    const identities = await identitiesFor(environment, store, label, manifest, job, signal);
    return { identities, opened: await openPrivate(manifest, identities) };
  };
  let key: Awaited<ReturnType<typeof openKey>> | undefined;
  if (job.readData) {
    // Before the parts, which may take hours: a wrong key is told at once.
    await context.step("key", async (attempt) => {
      key = await openKey(attempt.signal);
      return null;
    });
  }
  for (const part of manifest.parts) {
    const number = part.name.slice(0, part.name.indexOf("."));
    await context.step(`parts/${number}`, async (attempt) => {
      await checkPart(store, manifest.id, `${folder}/${part.name}`, part, attempt.signal);
      attempt.progress(part.storedBytes, part.storedBytes);
      return null;
    });
  }
  if (job.readData) {
    await context.step("decode", async (attempt) => {
      const { identities, opened } = key ?? await openKey(attempt.signal);
      await using pool = createPool();
      const plain = decode(located, {
        store,
        pool,
        identities,
        opened,
        signal: attempt.signal,
        progress: attempt.progress,
      });
      for await (const bytes of plain) freeBytes(bytes);
      return null;
    });
  }
  return {
    id: manifest.id,
    label: manifest.label,
    parts: manifest.parts.length,
    storedBytes: manifest.storedBytes,
    plainBytes: job.readData ? manifest.plainBytes : null,
  };
}

async function checkPart(
  store: Store,
  id: string,
  key: string,
  part: ManifestPart,
  signal: AbortSignal,
): Promise<void> {
  checkPartSize(id, part, await store.stat(key, { signal }));
  const hash = createHash("sha256");
  for await (const chunk of await store.get(key, { signal })) hash.update(chunk);
  const found = hash.digest("hex");
  if (found === part.sha256) return;
  throw new CairnError(
    "verification",
    `part ${part.name.slice(0, part.name.indexOf("."))} of ${id} is damaged: its SHA-256 is ${found}, ` +
      `the manifest says ${part.sha256}`,
    { hint: "restore another artifact: `cairn list` shows them" },
  );
}
