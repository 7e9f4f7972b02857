/** The workflows under test, each with what it begins with and what must hold in the end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hashFile } from "../../streams/durable.ts";
import type { Description } from "./driver.ts";
import {
  checkArtifact,
  checkContent,
  checkNothingLeft,
  checkOnlyTarget,
  checkStoreEmpty,
} from "./invariants.ts";
import { type ArtifactKind, backupJob, type Place, runId, targetAddress, type Template } from "./place.ts";
import { drive, run } from "./processes.ts";
import { makeOther } from "./source_database.ts";

/** One workflow under test. */
export interface Scenario {
  readonly name: string;
  /** Puts files into the place, and says what is to be run and, when that is killed, run again. */
  lay(place: Place, template: Template): Promise<Description>;
  /** Throws unless everything is as after an undisturbed run. */
  check(place: Place, template: Template): Promise<void>;
}

/** What an SQL dump does not keep. */
const NO_SETTINGS = { settings: [] };

function backup(name: string, kind: ArtifactKind): Scenario {
  return {
    name,
    async lay(place, template) {
      await Deno.copyFile(template.source, place.source);
      const job = await backupJob(place, template, kind);
      return { workflow: "backup", home: place.home, record: place.record, run: runId("backup"), job };
    },
    async check(place, template) {
      await checkNothingLeft(place);
      const dump = join(place.folder, "by-hand.db");
      await checkArtifact(place, template, dump);
      checkContent(dump, template.content, kind === "live" ? NO_SETTINGS : {});
    },
  };
}

function restore(name: string, kind: ArtifactKind, over?: "delete" | "wal"): Scenario {
  return {
    name,
    async lay(place, template) {
      if (over !== undefined) makeOther(place.target, over);
      const { store, manifest } = await template.artifact(kind);
      return {
        workflow: "restore",
        home: place.home,
        run: runId("restore"),
        job: {
          store,
          manifest,
          target: await targetAddress(place, kind),
          overwrite: over !== undefined,
          selection: { tables: [], excludeTables: [] },
          identities: [template.identity],
          passphrase: null,
        },
      };
    },
    async check(place, template) {
      await checkNothingLeft(place);
      await checkOnlyTarget(place);
      if (over === undefined && kind !== "live") {
        const { sha256 } = await hashFile(place.target);
        const { plainSha256 } = await template.artifact(kind);
        assert.equal(sha256, plainSha256, "the restored file is not the one that was dumped");
      }
      checkContent(place.target, template.content, kind === "live" ? NO_SETTINGS : {});
    },
  };
}

function verify(name: string, kind: ArtifactKind): Scenario {
  return {
    name,
    async lay(place, template) {
      const { store, manifest } = await template.artifact(kind);
      const job = { store, manifest, readData: true, identities: [template.identity], passphrase: null };
      return { workflow: "verify", home: place.home, run: runId("verify"), job };
    },
    check: checkNothingLeft,
  };
}

/** Cancels a backup that was killed in the middle. */
const cancel: Scenario = {
  name: "cancel of a backup",
  async lay(place, template) {
    const description = await scenarios.backup.lay(place, template);
    const killed = await run(
      drive(description, { CAIRN_CRASH_AT: "after step-done upload/1/2" }),
      place.folder,
    );
    assert.equal(killed.signal, "SIGKILL");
    return { ...description, how: "cancel" };
  },
  async check(place) {
    await checkNothingLeft(place);
    await checkStoreEmpty(place);
  },
};

/** All of them. */
export const scenarios = {
  backup: backup("backup", "plain"),
  encryptedBackup: backup("encrypted backup", "encrypted"),
  liveBackup: backup("backup of a live source", "live"),
  restore: restore("restore to a new path", "plain"),
  encryptedRestore: restore("restore of an encrypted artifact", "encrypted"),
  restoreOver: restore("restore over a database", "encrypted", "delete"),
  restoreOverWal: restore("restore over a database in WAL mode", "plain", "wal"),
  liveRestore: restore("restore into a live target", "live"),
  verify: verify("verify", "encrypted"),
  cancel,
} as const satisfies Record<string, Scenario>;
