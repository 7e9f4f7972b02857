/**
 * The process that crash tests kill: executes one run from a JSON description, its only argument, and talks like
 * `cairn … --json`: the run id before any work, then one line with the outcome.
 *
 * It is safe to start again at any time: a run that was never journaled is created, any other one is resumed.
 */
import { CairnError, toCairnError } from "../../errors.ts";
import { type Engine, openEngine } from "../../engine/engine.ts";
import type { Json } from "../../engine/workflow.ts";
import { openStore } from "../../storage/registry.ts";
import { type Environment, makeEnvironment } from "../../steps/environment.ts";
import type { BackupJob, RestoreJob, VerifyJob } from "../../steps/job.ts";
import { backupLocks, restoreLocks } from "../../steps/locks.ts";
import { makeWorkflows, type Workflows } from "../../steps/workflows.ts";
import { createLiveSqlite, LIVE_SQLITE, type LiveFault } from "../doubles/live_sqlite.ts";
import { type FaultyStore, faultyStore, type Rule } from "../doubles/store_faulty.ts";

/** Which workflow with which job. */
export type Work =
  | { readonly workflow: "backup"; readonly job: BackupJob }
  | { readonly workflow: "restore"; readonly job: RestoreJob }
  | { readonly workflow: "verify"; readonly job: VerifyJob };

/** A rule of the faulty store as JSON: the pattern of the key as text, a delay until standard input has a line. */
export type JsonRule = Omit<Rule, "key" | "fault"> & {
  readonly key?: string;
  readonly fault: Exclude<Rule["fault"], { kind: "delay" }> | { readonly kind: "delay" };
};

/** What the process is to do. */
export type Description = Work & {
  readonly home: string;
  readonly run: string;
  /** Resume from another process that holds the run, or cancel it; by default the run is executed. */
  readonly how?: "take-over" | "cancel";
  /** Where every put is recorded. */
  readonly record?: string;
  readonly rules?: readonly JsonRule[];
  /** The fault of the n-th dump of a live source in this process. */
  readonly liveFaults?: readonly (LiveFault | null)[];
  readonly stallMilliseconds?: number;
  /** Say `ready` once the engine is open, and wait for a line on standard input. */
  readonly barrier?: boolean;
};

if (import.meta.main) Deno.exit(await main(JSON.parse(Deno.args[0] ?? "{}")));

async function main(description: Description): Promise<number> {
  const { home, run } = description;
  const stores: FaultyStore[] = [];
  const workflows = makeWorkflows(surroundings(description, stores));
  let engine: Engine | undefined;
  try {
    // Without chance, and without waiting: a test that kills each try would otherwise take minutes.
    engine = await openEngine({ folder: home, workflows: Object.values(workflows), random: () => 0 });
    if (description.barrier) {
      say({ status: "ready" });
      await lineOfInput();
    }
    await createUnlessThere(engine, workflows, description);
    say({ run, status: "running" });
    const calls = () => stores.flatMap((store) => store.calls);
    if (description.how === "cancel") say({ run, status: await engine.cancel(run), calls: calls() });
    else {
      const output = await engine.execute(run, { takeOver: description.how === "take-over" });
      say({ run, status: "done", output, calls: calls() });
    }
    await engine[Symbol.asyncDispose]();
    return 0;
  } catch (thrown) {
    const { code, message, hint = null, exitCode } = toCairnError(thrown);
    const resumable = await engine?.find(run).then((view) => view.resumable, () => false) ?? false;
    say({ run, status: "failed", resumable, error: { code, message, hint } });
    return exitCode;
  }
}

async function createUnlessThere(engine: Engine, workflows: Workflows, description: Description) {
  const { run: id } = description;
  try {
    await engine.input(id);
    return;
  } catch (error) {
    if (!(error instanceof CairnError && error.code === "not_found")) throw error;
  }
  if (description.workflow === "backup") {
    const { job } = description;
    await engine.create(workflows.backup, job, { id, label: job.label, locks: backupLocks(job) });
  } else if (description.workflow === "restore") {
    const { job } = description;
    await engine.create(workflows.restore, job, { id, label: "app", locks: restoreLocks(job) });
  } else {
    await engine.create(workflows.verify, description.job, { id, label: "app", locks: [] });
  }
}

function surroundings(description: Description, stores: FaultyStore[]): Environment {
  const { home, record, rules = [], liveFaults = [], stallMilliseconds } = description;
  const real = makeEnvironment({ home, version: "0.0.0-test", ask: undefined });
  const live = createLiveSqlite({ fault: (attempt) => liveFaults[attempt - 1] ?? undefined });
  return {
    ...real,
    adapter: (engine) => engine === LIVE_SQLITE ? live : real.adapter(engine),
    openStore: async (url) => {
      const store = await openStore(url);
      const faulty = faultyStore(store, {
        rules: rules.map(toRule),
        ...(record === undefined ? {} : { record }),
      });
      stores.push(faulty);
      return faulty;
    },
    ...(stallMilliseconds === undefined ? {} : { stallMilliseconds }),
  };
}

function toRule({ key, fault, ...rule }: JsonRule): Rule {
  const delay = fault.kind === "delay" ? waitForTest() : fault;
  return { ...rule, ...(key === undefined ? {} : { key: new RegExp(key) }), fault: delay };
}

/** A call that waits tells the test so, and goes on when the test says so. */
function waitForTest(): Rule["fault"] {
  const { promise: until, resolve } = Promise.withResolvers<void>();
  return {
    kind: "delay",
    until,
    reached: () => {
      say({ status: "waiting" });
      lineOfInput().then(resolve);
    },
  };
}

async function lineOfInput(): Promise<void> {
  if (await Deno.stdin.read(new Uint8Array(100)) === null) Deno.exit(1);
}

function say(line: { [key: string]: Json }): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify({ version: 1, ...line })}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}
