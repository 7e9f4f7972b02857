/**
 * The record stage: the checksums, then the manifest, put create-only and last. That put is the commit of a backup:
 * before it nothing counts, after it everything does.
 */
import type { Context } from "../../engine/workflow.ts";
import { CairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { partName } from "../../streams/seal_parts.ts";
import { decodeBase64 } from "../base64.ts";
import { entriesOf } from "../entries.ts";
import { type Manifest, MANIFEST_VERSION, restoreCommand, sealPrivate } from "../manifest.ts";
import { readObject } from "../read_manifest.ts";
import type { DumpTools, PartFacts, TakeEnd } from "./dump.ts";
import type { Recipients } from "./encrypt.ts";
import { requireTake, type Take } from "./take.ts";

/** What a finished backup is, for the caller and the journal. */
export type BackupResult = {
  readonly id: string;
  readonly label: string;
  readonly type: string;
  /** The database's engine; artifacts of the first version are of SQLite. */
  readonly engine?: string;
  readonly store: string;
  /** The key of the manifest. */
  readonly manifest: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly parts: number;
  readonly codec: string;
  readonly encryption: string;
  readonly takes: number;
  readonly warnings: readonly string[];
};

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A take whose dump is complete and whose parts are in the store. */
export interface Dumped {
  readonly take: Take;
  readonly parts: readonly PartFacts[];
  readonly end: TakeEnd & { lost: null };
}

/** Puts what belongs beside the parts and then the manifest, reads it back, and tells what was made. */
export async function record(
  context: Context,
  tools: DumpTools,
  { take, parts, end }: Dumped,
  key: Recipients,
): Promise<{ readonly result: BackupResult; readonly text: string }> {
  const { store } = tools;
  const names = parts.map((part) => partName(part.number, tools.job.codec, key.recipients.length > 0));
  await context.step(`sums/${take.number}`, async (attempt) => {
    await requireTake(store, take.keys, attempt.signal);
    await confirmParts(store, take, parts, names, attempt.signal);
    const sums = parts.map((part, index) => `${part.sha256}  ${names[index]}\n`).join("");
    await store.put(take.keys.sums, { bytes: encode(sums) }, "create", { signal: attempt.signal });
    if (key.identity !== null) {
      const identity = decodeBase64(key.identity);
      await store.put(take.keys.identity, { bytes: identity }, "create", { signal: attempt.signal });
    }
    return null;
  });

  // The bytes are journaled before they get a name: sealing is random, and the name must only ever have one content.
  const text = await context.step(
    `manifest/${take.number}`,
    async () =>
      `${JSON.stringify(await describe(context, tools, { take, parts, end }, key, names), null, 2)}\n`,
  );
  await context.step(`record/${take.number}`, async (attempt) => {
    const { manifest } = take.keys;
    await requireTake(store, take.keys, attempt.signal);
    await store.put(manifest, { bytes: encode(text) }, "create", { signal: attempt.signal });
    if (await readObject(store, manifest, attempt.signal) !== text) {
      throw new CairnError("verification", `the manifest ${manifest} reads back with another content`);
    }
    await store.delete(take.keys.open, { signal: attempt.signal });
    return null;
  });

  const { job, prepared } = tools;
  const result: BackupResult = {
    id: take.id,
    label: job.label,
    type: "full",
    engine: job.source.engine,
    store: store.url,
    manifest: take.keys.manifest,
    sizeBytes: end.plainBytes,
    storedBytes: parts.reduce((total, part) => total + part.storedBytes, 0),
    parts: parts.length,
    codec: job.codec,
    encryption: job.encryption.mode,
    takes: take.number,
    warnings: [...prepared.warnings, ...take.warnings, ...end.warnings],
  };
  return { result, text };
}

/** Nothing counts as a backup whose parts are not there: somebody may have removed one since it was sent. */
async function confirmParts(
  store: Store,
  take: Take,
  parts: readonly PartFacts[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const found = new Map<string, number>();
  for await (const entry of entriesOf(store, take.keys.folder, signal)) {
    if (entry.kind === "object") found.set(entry.name, entry.bytes);
  }
  for (const [index, part] of parts.entries()) {
    const name = names[index] ?? "";
    const bytes = found.get(name);
    if (bytes === part.storedBytes) continue;
    const what = bytes === undefined
      ? "is gone"
      : `has ${bytes} bytes, not the ${part.storedBytes} that were sent`;
    throw new CairnError("verification", `${take.keys.folder}/${name} ${what}: the store lost it`, {
      hint: "cancel this run and back up again, and look after the store",
    });
  }
}

async function describe(
  context: Context,
  { environment, job, prepared }: DumpTools,
  { take: { id, warnings }, parts, end }: Dumped,
  key: Recipients,
  names: readonly string[],
): Promise<Manifest> {
  const { snapshot } = prepared;
  const facts = {
    id,
    type: "full",
    format: snapshot.format,
    codec: job.codec,
    encryption: job.encryption.mode,
  } as const;
  return {
    version: MANIFEST_VERSION,
    ...facts,
    label: job.label,
    engine: job.source.engine,
    parent: null,
    origin: prepared.origin,
    run: context.id,
    fingerprint: prepared.fingerprint,
    moved: prepared.moved,
    createdAt: new Date(prepared.createdAt).toISOString(),
    finishedAt: new Date(environment.now()).toISOString(),
    plainBytes: end.plainBytes,
    storedBytes: parts.reduce((total, part) => total + part.storedBytes, 0),
    parts: parts.map(({ plainBytes, storedBytes, sha256 }, index) => ({
      name: names[index] ?? "",
      plainBytes,
      storedBytes,
      sha256,
    })),
    versions: { cairn: environment.version, database: snapshot.engineVersion, ...snapshot.tools },
    restore: restoreCommand(facts),
    private: await sealPrivate({
      plainSha256: end.plainSha256,
      host: prepared.host,
      source: job.source.url,
      tables: [...end.tables ?? snapshot.tables],
      warnings: [...prepared.warnings, ...warnings, ...end.warnings],
    }, key.recipients),
  };
}
