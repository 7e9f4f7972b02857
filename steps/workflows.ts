/** All workflows of this program, for the engine that runs them. */
import type { Workflow } from "../engine/workflow.ts";
import { backupWorkflow } from "./backup/backup.ts";
import type { BackupResult } from "./backup/record.ts";
import type { Environment } from "./environment.ts";
import type { BackupJob, RestoreJob, VerifyJob } from "./job.ts";
import { type RestoreResult, restoreWorkflow } from "./restore/restore.ts";
import { type VerifyResult, verifyWorkflow } from "./verify.ts";

/** The workflows by their names. */
export interface Workflows {
  readonly backup: Workflow<BackupJob, BackupResult>;
  readonly restore: Workflow<RestoreJob, RestoreResult>;
  readonly verify: Workflow<VerifyJob, VerifyResult>;
}

/** The workflows in their surroundings. */
export function makeWorkflows(environment: Environment): Workflows {
  return {
    backup: backupWorkflow(environment),
    restore: restoreWorkflow(environment),
    verify: verifyWorkflow(environment),
  };
}
