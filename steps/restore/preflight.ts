/** The preflight stage: refuses, before anything is touched, what cannot work or would do harm. */
import { dirname, resolve } from "node:path";
import type { Target } from "../../adapters/adapter.ts";
import { type Attempt, type Context, NO_RETRY } from "../../engine/workflow.ts";
import { CairnError } from "../../errors.ts";
import { accessTo } from "../access.ts";
import type { Environment } from "../environment.ts";
import type { RestoreJob } from "../job.ts";
import type { Manifest } from "../manifest.ts";
import { requireSpace } from "../space.ts";

/**
 * Checks the target; run anew by every attempt to load. (The key was proven before: without it there is no private part to
 * compare with.)
 */
export async function preflight(
  context: Context,
  environment: Environment,
  job: RestoreJob,
  manifest: Manifest,
  attempt: Attempt,
): Promise<void> {
  await context.step(`preflight/${attempt.number}`, async (attempt) => {
    await refuseOwnState(environment, job.target.url);
    const target = await environment.adapter(job.target.engine)
      .inspect(await accessTo(environment, job.target), attempt.signal);
    if (target.state === "filled" && !job.overwrite) {
      throw new CairnError("target_exists", `${job.target.url} ${target.description}`, {
        hint:
          "a restore replaces what is there, and nothing has been changed: restore beside it, or say --overwrite",
      });
    }
    // The disk of a server is out of sight, and nothing is written to ours.
    if (job.target.engine !== "sqlite") return null;
    await requireSpace(
      await existingFolder(job, environment, target.state),
      manifest.plainBytes,
      "the restored database",
    );
    return null;
  }, NO_RETRY); // the load around it tries again
}

/** The history of runs and the catalog are never a target: restoring over them would lose what Cairn knows. */
async function refuseOwnState(environment: Environment, url: string): Promise<void> {
  const path = url.replace(/^sqlite:/, "");
  const target = await Deno.stat(path).catch(() => undefined);
  for (const name of ["control.db", "catalog.db"]) {
    const own = resolve(environment.home, name);
    const stat = await Deno.stat(own).catch(() => undefined);
    const same = stat !== undefined && target?.ino === stat.ino && target.dev === stat.dev;
    if (!same && resolve(path) !== own) continue;
    throw new CairnError(
      "refused",
      `${path} is Cairn's own ${name}, which is never the target of a restore`,
      {
        hint: "restore to another path",
      },
    );
  }
}

/** The folder on whose disk the decoded dump is going to lie: beside a new database, else in the scratch folder. */
async function existingFolder(
  job: RestoreJob,
  environment: Environment,
  state: Target["state"],
): Promise<string> {
  if (state !== "missing") return environment.home;
  let folder = dirname(job.target.url.replace(/^sqlite:/, ""));
  while (!await Deno.stat(folder).then((stat) => stat.isDirectory, () => false)) folder = dirname(folder);
  return folder;
}
