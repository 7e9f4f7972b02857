/** A whole Cairn in a temporary folder, without the command line: for tests of the workflows. */
import { join } from "node:path";
import { type Engine, openEngine } from "../../engine/engine.ts";
import type { RunEvent } from "../../engine/run.ts";
import type { Json } from "../../engine/workflow.ts";
import { parseAddress } from "../../adapters/registry.ts";
import { makeId } from "../../steps/artifact.ts";
import { type Environment, makeEnvironment } from "../../steps/environment.ts";
import type { BackupJob, RestoreJob, VerifyJob } from "../../steps/job.ts";
import { backupLocks, restoreLocks } from "../../steps/locks.ts";
import type { BackupResult } from "../../steps/backup/record.ts";
import { makeWorkflows, type Workflows } from "../../steps/workflows.ts";

/** The folders and functions of a test. */
export interface TestPlace extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly store: string;
  readonly environment: Environment;
  readonly workflows: Workflows;
  readonly engine: Engine;
  /** The path of a file in the folder. */
  path(name: string): string;
  backupJob(source: string, changes?: Partial<BackupJob>): Promise<BackupJob>;
  backup(source: string, changes?: Partial<BackupJob>): Promise<BackupResult>;
  restoreJob(artifact: BackupResult, target: string, changes?: Partial<RestoreJob>): Promise<RestoreJob>;
  restore(artifact: BackupResult, target: string, changes?: Partial<RestoreJob>): Promise<Json>;
  verify(artifact: BackupResult, changes?: Partial<VerifyJob>): Promise<Json>;
}

/** Opens a test place; disposing of it removes everything. */
export async function openTestPlace(
  changes: Partial<Environment> = {},
  onEvent?: (event: RunEvent) => void,
): Promise<TestPlace> {
  const folder = await Deno.makeTempDir({ prefix: "cairn-test-" });
  const home = join(folder, "home");
  const store = join(folder, "store");
  const environment = { ...makeEnvironment({ home, version: "0.0.0-test", ask: undefined }), ...changes };
  const workflows = makeWorkflows(environment);
  const engine = await openEngine({ folder: home, workflows: Object.values(workflows) });
  let count = 0;
  const runId = (workflow: string) => `${workflow}-${makeId(Date.now() + count++)}`;
  const execute = (id: string) => engine.execute(id, onEvent === undefined ? {} : { onEvent });

  const place: TestPlace = {
    folder,
    home,
    store,
    environment,
    workflows,
    engine,
    path: (name) => join(folder, name),
    async backupJob(source, changes = {}) {
      return {
        label: "app",
        labelOrigin: "derived",
        source: await parseAddress(source),
        store,
        codec: "zstd",
        level: 3,
        encryption: { mode: "none" },
        selection: { tables: [], excludeTables: [] },
        partBytes: 32_768,
        ...changes,
      };
    },
    async backup(source, changes) {
      const job = await place.backupJob(source, changes);
      const id = runId("backup");
      await engine.create(workflows.backup, job, { id, label: job.label, locks: backupLocks(job) });
      return await execute(id) as BackupResult;
    },
    async restoreJob(artifact, target, changes = {}) {
      return {
        store: artifact.store,
        manifest: artifact.manifest,
        target: await parseAddress(target),
        overwrite: false,
        selection: { tables: [], excludeTables: [] },
        identities: [],
        passphrase: null,
        ...changes,
      };
    },
    async restore(artifact, target, changes) {
      const job = await place.restoreJob(artifact, target, changes);
      const id = runId("restore");
      await engine.create(workflows.restore, job, { id, label: artifact.label, locks: restoreLocks(job) });
      return await execute(id);
    },
    async verify(artifact, changes = {}) {
      const { store, manifest, label } = artifact;
      const id = runId("verify");
      const job = { store, manifest, readData: true, identities: [], passphrase: null, ...changes };
      await engine.create(workflows.verify, job, { id, label, locks: [] });
      return await execute(id);
    },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return place;
}
