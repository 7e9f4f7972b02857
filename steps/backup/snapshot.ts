/** The snapshot stage: what will be dumped, whether it may have this label, and, for a file engine, its frozen copy. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Context } from "../../engine/workflow.ts";
import type { Snapshot } from "../../adapters/adapter.ts";
import { CairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { makePrivateFolder } from "../../streams/durable.ts";
import { accessTo } from "../access.ts";
import { type Environment, originOf, spoolFolder } from "../environment.ts";
import type { BackupJob } from "../job.ts";
import { newestManifest } from "../read_manifest.ts";
import { requireSpace } from "../space.ts";

/** Everything that is fixed before the first byte is dumped. */
export type Prepared = {
  readonly snapshot: Snapshot;
  /** SHA-256 of the database's fingerprint and of the selection. */
  readonly fingerprint: string;
  /** True when the label belonged to another database before. */
  readonly moved: boolean;
  readonly host: string;
  readonly origin: string;
  /** When the content of the dump was current, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly warnings: readonly string[];
};

/** Checks the source and prepares it; the journaled result is all that later stages know of it. */
export async function prepare(
  context: Context,
  environment: Environment,
  job: BackupJob,
  store: Store,
): Promise<Prepared> {
  return await context.step("snapshot", async (attempt): Promise<Prepared> => {
    const adapter = environment.adapter(job.source.engine);
    const folder = spoolFolder(environment, context.id);
    const access = await accessTo(environment, job.source);
    const ping = await adapter.ping(access, attempt.signal);
    await makePrivateFolder(folder);
    await requireSpace(folder, ping.bytes, "the snapshot");
    const snapshot = await adapter.snapshot(access, {
      folder,
      selection: job.selection,
      signal: attempt.signal,
      progress: (done, total) => attempt.progress(done, total),
    });
    if (snapshot.frozen) attempt.progress(snapshot.plainBytes, snapshot.plainBytes);
    const fingerprint = fingerprintOf(snapshot, job);
    const before = await newestManifest(store, job.label, attempt.signal);
    const moved = before !== undefined && before.fingerprint !== fingerprint;
    if (moved && job.labelOrigin === "derived") throw taken(job);
    return {
      snapshot,
      fingerprint,
      moved,
      host: hostname(),
      origin: await originOf(environment, folder),
      createdAt: environment.now(),
      warnings: moved
        ? [...snapshot.warnings, `the label "${job.label}" belonged to another database before`]
        : snapshot.warnings,
    };
  });
}

function fingerprintOf(snapshot: Snapshot, { selection }: BackupJob): string {
  const selected = selection.tables.length + selection.excludeTables.length > 0;
  const whole = selected ? JSON.stringify([snapshot.fingerprint, selection]) : snapshot.fingerprint;
  return createHash("sha256").update(whole).digest("hex");
}

function taken(job: BackupJob): CairnError {
  return new CairnError("refused", `the label "${job.label}" in ${job.store} belongs to another database`, {
    hint: "give this one a label of its own with --label",
  });
}
