/**
 * The backup workflow: snapshot → dump → compress → encrypt → upload → record.
 *
 * Parts are uploaded while the dump goes on. Nothing counts before the manifest is put, and a run that is killed goes on
 * from its journal.
 */
import type { Context, Workflow } from "../../engine/workflow.ts";
import { CairnError, toCairnError } from "../../errors.ts";
import type { Store } from "../../storage/storage.ts";
import { createPool } from "../../streams/pool.ts";
import { manifestKey } from "../artifact.ts";
import { bounded } from "../bounded.ts";
import { openCatalog } from "../catalog.ts";
import { type Environment, sealFolder, spoolFolder } from "../environment.ts";
import type { BackupJob } from "../job.ts";
import { openOwned } from "../open_owned.ts";
import { parseManifestAt } from "../read_manifest.ts";
import { partName } from "../../streams/seal_parts.ts";
import { sealSettings } from "./compress.ts";
import { dumpTake, type DumpTools, type PartFacts, partFile, type TakeEnd } from "./dump.ts";
import { chooseRecipients } from "./encrypt.ts";
import { type BackupResult, type Dumped, record } from "./record.ts";
import { prepare } from "./snapshot.ts";
import { removeTree } from "../remove_tree.ts";
import { beginTake, openArtifacts, removeArtifact, removeSealed, type Take } from "./take.ts";
import { uploadPart, UPLOADS_AT_ONCE } from "./upload.ts";

/** How many times a live dump is taken before the run fails; each start of the run may take that many. */
const TAKES = 3;

/** Makes the backup workflow for the surroundings it runs in. */
export function backupWorkflow(environment: Environment): Workflow<BackupJob, BackupResult> {
  return {
    name: "backup",
    version: 1,
    run: (context, job) => backup(context, environment, job),
    clean: (context, job) => clean(context, environment, job),
  };
}

async function backup(context: Context, environment: Environment, job: BackupJob): Promise<BackupResult> {
  await using store = await openOwned(environment, job.store);
  await using pool = createPool();
  // Before the copy, which may take long: a passphrase that cannot be had is told at once.
  const key = await chooseRecipients(context, environment, job);
  const prepared = await prepare(context, environment, job, store);
  const settings = sealSettings(job, prepared.snapshot.plainBytes, key.recipients);
  const tools: DumpTools = { environment, job, prepared, store, settings, pool };

  const dumped = await dumpUntilComplete(context, tools);
  const { take } = dumped;
  const { result, text } = await record(context, tools, dumped, key);

  await context.step("tidy", async () => {
    try {
      const catalog = openCatalog(environment.home);
      try {
        catalog.add(store.url, take.keys.manifest, parseManifestAt(text, take.keys.manifest));
      } finally {
        catalog.close();
      }
    } catch (error) {
      // The backup stands, and the next list finds it in its store.
      context.note(`the catalog does not have this backup yet: ${toCairnError(error).message}`);
    }
    await removeScratch(context, environment, store);
    return null;
  });
  return result;
}

/** Dumps and uploads, with a new take whenever a live dump was lost. */
async function dumpUntilComplete(context: Context, tools: DumpTools): Promise<Dumped> {
  const { environment, job, store, prepared } = tools;
  let failures = 0;
  for (let number = 1;; number++) {
    const take = await beginTake(context, environment, job, store, prepared, number);
    const uploads = bounded(UPLOADS_AT_ONCE);
    const parts: PartFacts[] = [];
    let end: TakeEnd | undefined;
    try {
      end = await dumpTake(context, tools, take, async (part) => {
        parts.push(part);
        await uploads.add(() => sendPart(context, tools, take, part));
      });
    } finally {
      // Nothing goes on behind the back of a run that failed; what failed in the uploads of a lost take does not matter.
      if (end?.lost !== null) await uploads.settle().catch(() => {});
    }
    if (end.lost === null) {
      await uploads.settle();
      return { take, parts, end };
    }
    await context.step(`lost/${number}`, async (attempt) => {
      await removeSealed(environment, store, context.id, number);
      await removeArtifact(store, job.label, take.id, attempt.signal);
      return null;
    });
    if (take.generation === context.generation && (!end.passing || ++failures >= TAKES)) {
      throw new CairnError("tool_failed", end.lost, {
        hint: "the log has what the tool said; nothing of this dump was kept",
        passing: false,
      });
    }
    context.note(`${end.lost}, so the dump is taken again (take ${number + 1})`);
    if (failures > 0) await context.sleep(`pause/${number}`, environment.takePauseMilliseconds);
  }
}

async function sendPart(context: Context, tools: DumpTools, take: Take, part: PartFacts): Promise<void> {
  const name = partName(part.number, tools.job.codec, tools.settings.recipients.length > 0);
  await uploadPart(context, tools.store, `upload/${take.number}/${part.number}`, take.keys, {
    file: partFile(tools, context, take, part.number),
    key: `${take.keys.folder}/${name}`,
    storedBytes: part.storedBytes,
  });
}

/** Removes what an unfinished backup left. An artifact whose manifest stands is a finished one and stays. */
async function clean(context: Context, environment: Environment, job: BackupJob): Promise<void> {
  await using store = await openOwned(environment, job.store);
  await context.step("remove", async (attempt) => {
    for (const id of await openArtifacts(store, job.label, context.id, attempt.signal)) {
      const manifest = manifestKey(job.label, id);
      if (await store.stat(manifest, { signal: attempt.signal })) {
        await store.delete(`${job.label}/${id}.open`);
      } else await removeArtifact(store, job.label, id, attempt.signal);
    }
    await removeScratch(context, environment, store);
    return null;
  });
}

async function removeScratch(context: Context, environment: Environment, store: Store): Promise<void> {
  await removeTree(sealFolder(environment, store, context.id));
  await removeTree(spoolFolder(environment, context.id));
  const staging = store.capabilities.staging;
  // Gone only when no other run uses it.
  if (staging !== undefined) await Deno.remove(staging).catch(() => {});
}
