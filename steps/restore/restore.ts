/**
 * The restore workflow: locate → preflight → download → decode → load → check → record.
 *
 * Nothing of the target changes before the whole dump is decoded, checked and loaded aside; making it visible is one
 * step of its own that may be repeated.
 */
import type { Loaded, LoadRequest } from "../../adapters/adapter.ts";
import type { Context, Workflow } from "../../engine/workflow.ts";
import { makePrivateFolder } from "../../streams/durable.ts";
import { createPool } from "../../streams/pool.ts";
import { accessTo } from "../access.ts";
import { removeTree } from "../remove_tree.ts";
import { type Environment, spoolFolder } from "../environment.ts";
import { identitiesFor } from "../identities.ts";
import type { RestoreJob } from "../job.ts";
import { openPrivate } from "../manifest.ts";
import { openOwned } from "../open_owned.ts";
import { checkTables } from "./check.ts";
import { decode } from "./decode.ts";
import { download } from "./download.ts";
import { locate } from "./locate.ts";
import { preflight } from "./preflight.ts";

/** What a finished restore did. */
export type RestoreResult = {
  readonly id: string;
  readonly label: string;
  readonly target: string;
  readonly sizeBytes: number;
  readonly tables: number;
};

/** Makes the restore workflow for the surroundings it runs in. */
export function restoreWorkflow(environment: Environment): Workflow<RestoreJob, RestoreResult> {
  return {
    name: "restore",
    version: 1,
    run: (context, job) => restore(context, environment, job),
    clean: (context, job) => clean(context, environment, job),
  };
}

async function restore(context: Context, environment: Environment, job: RestoreJob): Promise<RestoreResult> {
  await using store = await openOwned(environment, job.store);
  const adapter = environment.adapter(job.target.engine);
  const located = await locate(context, store, job.manifest);
  const { manifest, label } = located;
  const request = (signal: AbortSignal): LoadRequest => ({
    run: context.id,
    generation: context.generation,
    scratch: spoolFolder(environment, context.id),
    selection: job.selection,
    overwrite: job.overwrite,
    withoutOwners: job.withoutOwners ?? false,
    signal,
  });

  const loaded: Loaded = await context.step("load", async (attempt) => {
    const identities = await identitiesFor(environment, store, label, manifest, job, attempt.signal);
    const opened = await openPrivate(manifest, identities);
    // What an earlier attempt left at the target is no reason to refuse it.
    await adapter.discard(await accessTo(environment, job.target), {
      run: context.id,
      signal: attempt.signal,
    });
    await preflight(context, environment, job, manifest, attempt);
    await download(context, store, located, attempt);
    await makePrivateFolder(spoolFolder(environment, context.id));
    await using pool = createPool();
    const plain = decode(located, {
      store,
      pool,
      identities,
      opened,
      signal: attempt.signal,
      progress: attempt.progress,
    });
    const access = await accessTo(environment, job.target);
    const loaded = await adapter.load(access, manifest.format, plain, request(attempt.signal));
    checkTables(loaded, opened, job.selection);
    return loaded;
  });
  await context.step("commit", async (attempt) => {
    await adapter.commit(await accessTo(environment, job.target), loaded, request(attempt.signal));
    return null;
  });
  await context.step("tidy", async () => {
    await removeTree(spoolFolder(environment, context.id));
    return null;
  });
  return {
    id: manifest.id,
    label: manifest.label,
    target: job.target.url,
    sizeBytes: manifest.plainBytes,
    tables: loaded.tables.length,
  };
}

async function clean(context: Context, environment: Environment, job: RestoreJob): Promise<void> {
  await context.step("remove", async (attempt) => {
    const adapter = environment.adapter(job.target.engine);
    await adapter.discard(await accessTo(environment, job.target), {
      run: context.id,
      signal: attempt.signal,
    });
    await removeTree(spoolFolder(environment, context.id));
    return null;
  });
}
