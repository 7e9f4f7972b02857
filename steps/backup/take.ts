/** The life of a take: its artifact id and marker when it begins, and its removal when it is lost. */
import type { Context } from "../../engine/workflow.ts";
import { CairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { type ArtifactKeys, artifactKeys, isId, makeId, openKey, timeOfId } from "../artifact.ts";
import { type Environment, sealFolder } from "../environment.ts";
import type { BackupJob } from "../job.ts";
import { removeTree } from "../remove_tree.ts";
import { entriesOf, namesIn } from "../entries.ts";
import { readObject } from "../read_manifest.ts";
import type { Prepared } from "./snapshot.ts";

/** One attempt to dump the whole database. */
export interface Take {
  /** The id of the artifact that it makes. */
  readonly id: string;
  /** Counts the takes of the run, from 1. */
  readonly number: number;
  /** The generation of the run in which it began: a live dump does not outlive it. */
  readonly generation: number;
  readonly keys: ArtifactKeys;
  readonly warnings: readonly string[];
}

/**
 * Begins a take: fixes its artifact id, later than every id of the label even when the clock was set back, and puts the
 * marker `<id>.open`, so that its parts are never taken for orphans.
 */
export async function beginTake(
  context: Context,
  environment: Environment,
  job: BackupJob,
  store: Store,
  prepared: Prepared,
  number: number,
): Promise<Take> {
  const { id, generation, late } = await context.step(`take/${number}`, async (attempt) => {
    const own = context.id.slice(context.id.indexOf("-") + 1);
    const newest = await newestTime(store, job.label, attempt.signal);
    const { generation } = context;
    // The run's own id, unless another artifact was made while the run waited to be resumed.
    if (number === 1 && isId(own) && timeOfId(own) > newest) return { id: own, generation, late: false };
    const now = environment.now();
    const late = now <= newest;
    return { id: makeId(late ? newest + 1 : now), generation, late };
  });
  await context.step(`open/${number}`, async (attempt) => {
    const marker = { version: 1, run: context.id, origin: prepared.origin, parent: null };
    const bytes = new TextEncoder().encode(`${JSON.stringify(marker)}\n`);
    await store.put(openKey(job.label, id), { bytes }, "create", { signal: attempt.signal });
    return null;
  });
  const keys = artifactKeys(job.label, { id, type: "full", format: prepared.snapshot.format });
  const behind = `the clock is behind the newest artifact of "${job.label}": the new one is named after that`;
  return { id, number, generation, keys, warnings: late ? [behind] : [] };
}

/** The time of the newest id in a label's folder, or 0. Parts and markers count too: a name is never used again. */
async function newestTime(store: Store, label: string, signal: AbortSignal): Promise<number> {
  let newest = 0;
  for await (const name of namesIn(store, label, signal)) {
    const id = name.slice(0, name.indexOf("."));
    if (isId(id)) newest = Math.max(newest, timeOfId(id));
  }
  return newest;
}

/**
 * Throws `unreachable` unless the store holds what was put there when the take began: where a disk was mounted there may be an
 * empty folder now, and what is written to that is lost.
 */
export async function requireTake(
  store: Store,
  { open, manifest }: ArtifactKeys,
  signal: AbortSignal,
): Promise<void> {
  // The marker goes when the manifest is there.
  if (await store.stat(open, { signal }) ?? await store.stat(manifest, { signal })) return;
  throw new CairnError("unreachable", `the store ${store.url} holds nothing of this backup any more`, {
    hint:
      "check that its file system is mounted, then resume the run; if its content is gone for good, cancel the run",
  });
}

/** Removes all that an unfinished artifact has in the store, its marker last, so that a crash leaves it findable. */
export async function removeArtifact(
  store: Store,
  label: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  for await (const name of namesIn(store, label, signal)) {
    if (!name.startsWith(`${id}.`) || name === `${id}.open`) continue;
    const folder = `${label}/${name}`;
    for (const key of await keysUnder(store, folder, signal)) await store.delete(key, { signal });
    // A put that was killed may have left the folder empty: to delete anything in it removes it.
    await store.delete(`${folder}/SHA256SUMS`, { signal });
  }
  await store.delete(openKey(label, id), { signal });
}

async function keysUnder(store: Store, folder: string, signal: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for await (const name of namesIn(store, folder, signal)) keys.push(`${folder}/${name}`);
  return keys;
}

/** Removes the sealed files of a take that are not uploaded. */
export async function removeSealed(
  environment: Environment,
  store: Store,
  run: string,
  take: number,
): Promise<void> {
  await removeTree(`${sealFolder(environment, store, run)}/${take}`);
}

/** The ids of the artifacts that a run began in a label and has not finished, found by their markers. */
export async function openArtifacts(
  store: Store,
  label: string,
  run: string,
  signal: AbortSignal,
): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of entriesOf(store, label, signal)) {
    const id = entry.name.endsWith(".open") ? entry.name.slice(0, -".open".length) : "";
    if (!isId(id) || entry.kind !== "object") continue;
    if (await ownerOf(store, openKey(label, id), entry.bytes, signal) === run) ids.push(id);
  }
  return ids;
}

/**
 * The run that a marker of `bytes` names; undefined when it is gone or no marker of ours. A marker that cannot be read is an
 * error: to pass it over would leave the parts behind for ever.
 */
async function ownerOf(
  store: Store,
  key: string,
  bytes: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  let text: string;
  try {
    text = await readObject(store, key, signal);
  } catch (error) {
    if (error instanceof CairnError && error.code === "not_found") return undefined;
    throw error;
  }
  if (new TextEncoder().encode(text).length < bytes) {
    throw new CairnError("io", `${key} in ${store.url} was read in part only`, { hint: "try again" });
  }
  try {
    const marker: unknown = JSON.parse(text);
    const owned = typeof marker === "object" && marker !== null && "run" in marker;
    return owned && typeof marker.run === "string" ? marker.run : undefined;
  } catch {
    return undefined; // not one of ours
  }
}
