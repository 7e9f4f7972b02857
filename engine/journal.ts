/**
 * Everything that is written about runs. Each write about a run that is being executed carries the run's id and
 * generation and changes nothing when another process has taken the run: then it throws `fenced`.
 */
import { CairnError } from "../errors.ts";
import { crashPoint } from "./crash_point.ts";
import type { Database } from "./database.ts";
import { integer, type Row, type RunRow, runRow, type StepRow, stepRow, text, textOrNull } from "./rows.ts";
import { stagesOf } from "./stages.ts";

/** By what a process shows that a run is still its own. */
export interface Fence {
  readonly run: string;
  readonly generation: number;
}

/** How a try of a step ended. */
export interface StepEnd {
  readonly status: "done" | "waiting" | "failed";
  /** Milliseconds of this try. */
  readonly busy: number;
  readonly progress: number;
  readonly total: number | null;
  /** Errors thrown so far, against the budget. */
  readonly errors?: number;
  readonly wakeAt?: number;
  /** JSON. */
  readonly result?: string;
  readonly error?: CairnError;
}

/** How an execution ended that did not finish the run. */
export interface RunStop {
  readonly status: "interrupted" | "failed";
  readonly stoppedBy?: "person" | "shutdown";
  readonly error?: CairnError;
}

/** What a claim changes. */
export interface ClaimChange {
  readonly recoveries: number;
  readonly finishedAtRecovery: number;
  readonly cancelRequested: boolean;
}

/** What a claim is decided on. */
export interface ClaimFacts {
  readonly row: RunRow;
  /** How many steps are done. */
  readonly finished: number;
}

/** What a claim leads to: the run is the caller's, or it is stuck. */
export type ClaimDecision = ClaimChange | { readonly stuck: CairnError };

/** The writing side of `control.db`, and the few reads that it needs. */
export interface Journal {
  create(run: {
    id: string;
    workflow: string;
    version: number;
    label: string;
    locks: readonly string[];
    input: string;
  }): Promise<void>;
  row(id: string): Promise<RunRow | null>;
  input(id: string): Promise<string>;
  output(id: string): Promise<string>;
  steps(id: string): Promise<StepRow[]>;
  /** In one transaction: lets `decide` look at the run, then raises its generation or marks it as stuck. */
  claim(id: string, decide: (facts: ClaimFacts) => ClaimDecision): Promise<Fence>;
  /** False when the run has ended. */
  requestCancel(id: string): Promise<boolean>;
  cancelRequested(fence: Fence): Promise<boolean>;
  stop(fence: Fence, stop: RunStop): Promise<{ cancelRequested: boolean }>;
  /** Ends the run: its final status and output, and its steps folded into stages. */
  finish(fence: Fence, status: "done" | "cancelled", output: string | null): Promise<void>;
  stepStarted(fence: Fence, name: string): Promise<void>;
  sleepStarted(fence: Fence, name: string, wakeAt: number): Promise<void>;
  stepEnded(fence: Fence, name: string, end: StepEnd): Promise<void>;
  /** Left out when the file is locked. */
  progress(fence: Fence, name: string, done: number, total: number | null): void;
}

const OWNED = "EXISTS (SELECT 1 FROM run WHERE id = :run AND generation = :generation)";
const STEPS = "SELECT * FROM step WHERE run = ? ORDER BY started_ms, name";

/** Opens the journal. `now` gives milliseconds since 1970. */
export function openJournal(database: Database, now: () => number): Journal {
  const { connection, attempt, transaction } = database;
  const select = connection.prepare("SELECT * FROM run WHERE id = ?");
  const data = connection.prepare("SELECT input, output FROM run_data WHERE run = ?");
  const steps = connection.prepare(STEPS);
  const fenceOf = connection.prepare("SELECT generation, cancel_requested FROM run WHERE id = ?");
  const begin = connection.prepare(`
    INSERT INTO step (run, name, status, attempts, started_ms, wake_ms)
    SELECT :run, :name, :status, 1, :now, :wake FROM run WHERE id = :run AND generation = :generation
    ON CONFLICT (run, name) DO UPDATE SET status = :status, attempts = attempts + 1, wake_ms = :wake`);
  const end = connection.prepare(`
    UPDATE step SET status = :status, busy_ms = busy_ms + :busy, progress = :progress, total = :total,
      errors = :errors, wake_ms = :wake, result = :result, ended_ms = :ended,
      error_code = :code, error_message = :message, error_hint = :hint
    WHERE run = :run AND name = :name AND ${OWNED}`);
  const progress = connection.prepare(`
    UPDATE step SET progress = :done, total = :total WHERE run = :run AND name = :name AND ${OWNED}`);
  const stop = connection.prepare(`
    UPDATE run SET status = :status, stopped_by = :stopped, owner_pid = NULL, ended_ms = :now,
      error_code = :code, error_message = :message, error_hint = :hint
    WHERE id = :run AND generation = :generation RETURNING cancel_requested`);
  const finish = connection.prepare(`
    UPDATE run SET status = :status, stopped_by = NULL, owner_pid = NULL, ended_ms = :now,
      error_code = NULL, error_message = NULL, error_hint = NULL
    WHERE id = :run AND generation = :generation`);
  const cancel = connection.prepare(`
    UPDATE run SET cancel_requested = 1 WHERE id = ? AND status NOT IN ('done', 'cancelled')`);

  const write = async <T>(point: string, work: () => T, how = attempt): Promise<T> => {
    crashPoint(`before ${point}`);
    const result = await how(work);
    crashPoint(`after ${point}`);
    return result;
  };
  const owned = (fence: Fence, changed: boolean): void => {
    if (!changed) {
      throw new CairnError("fenced", `run ${fence.run} was taken over by another process`, {
        hint: `see who executes it with: cairn runs show ${fence.run}`,
      });
    }
  };
  const oneChange = (fence: Fence, work: () => { changes: number | bigint }) => () =>
    owned(fence, work().changes === 1);

  const mark = (id: string, error: CairnError) =>
    connection.prepare(`
      UPDATE run SET status = 'stuck', ended_ms = ?, error_code = ?, error_message = ?, error_hint = ?
      WHERE id = ?`).run(now(), error.code, error.message, error.hint ?? null, id);

  return {
    create: (run) =>
      write("run-created", () => {
        if (select.get(run.id) !== undefined) {
          throw new CairnError("exists", `a run with the id ${run.id} exists`);
        }
        connection.prepare(`
          INSERT INTO run (id, workflow, version, label, status, locks, created_ms)
          VALUES (?, ?, ?, ?, 'queued', ?, ?)`)
          .run(run.id, run.workflow, run.version, run.label, JSON.stringify(run.locks), now());
        connection.prepare("INSERT INTO run_data (run, input) VALUES (?, ?)").run(run.id, run.input);
      }, transaction),
    row: (id) =>
      attempt(() => {
        const row = select.get(id);
        return row === undefined ? null : runRow(row);
      }),
    input: (id) => attempt(() => text(known(data.get(id), id), "input")),
    output: (id) => attempt(() => textOrNull(known(data.get(id), id), "output") ?? "null"),
    steps: (id) => attempt(() => steps.all(id).map(stepRow)),
    async claim(id, decide) {
      const claimed = await write("run-claimed", () => {
        const row = runRow(known(select.get(id), id));
        const finished = integer(
          known(
            connection.prepare("SELECT count(*) AS n FROM step WHERE run = ? AND status = 'done'").get(id),
            id,
          ),
          "n",
        );
        const decision = decide({ row, finished });
        if ("stuck" in decision) {
          mark(id, decision.stuck);
          return decision;
        }
        connection.prepare(`
          UPDATE run SET generation = generation + 1, status = 'running', stopped_by = NULL, owner_pid = ?,
            recoveries = ?, finished_at_recovery = ?, cancel_requested = ?, started_ms = coalesce(started_ms, ?),
            ended_ms = NULL, error_code = NULL, error_message = NULL, error_hint = NULL WHERE id = ?`)
          .run(
            Deno.pid,
            decision.recoveries,
            decision.finishedAtRecovery,
            decision.cancelRequested ? 1 : 0,
            now(),
            id,
          );
        // A failed run is resumed by a person: what failed gets a fresh budget. A step whose failure its workflow
        // survived stays failed when the run is only recovered, so that the workflow takes the same way again.
        if (row.status === "failed" || row.status === "stuck") {
          connection.prepare(
            "UPDATE step SET status = 'waiting', errors = 0, wake_ms = NULL WHERE run = ? AND status = 'failed'",
          ).run(id);
        }
        return { run: id, generation: row.generation + 1 };
      }, transaction);
      if ("stuck" in claimed) throw claimed.stuck;
      return claimed;
    },
    requestCancel: (id) => write("cancel-requested", () => cancel.run(id).changes === 1),
    cancelRequested: (fence) =>
      attempt(() => {
        const row = known(fenceOf.get(fence.run), fence.run);
        owned(fence, integer(row, "generation") === fence.generation);
        return integer(row, "cancel_requested") === 1;
      }),
    stop: (fence, { status, stoppedBy = null, error }) =>
      write(`run-${status}`, () => {
        const row = stop.get({ ...fenced(fence), ...columns(error), status, stopped: stoppedBy, now: now() });
        owned(fence, row !== undefined);
        return { cancelRequested: row?.cancel_requested === 1 };
      }),
    finish: (fence, status, output) =>
      write(`run-${status}`, () => {
        owned(fence, finish.run({ ...fenced(fence), status, now: now() }).changes === 1);
        const stages = JSON.stringify(stagesOf(steps.all(fence.run).map(stepRow)));
        connection.prepare("UPDATE run_data SET output = ?, stages = ? WHERE run = ?")
          .run(output, stages, fence.run);
        connection.prepare("DELETE FROM step WHERE run = ?").run(fence.run);
      }, transaction),
    stepStarted: (fence, name) =>
      write(
        `step-started ${name}`,
        oneChange(
          fence,
          () => begin.run({ ...fenced(fence), name, status: "running", now: now(), wake: null }),
        ),
      ),
    sleepStarted: (fence, name, wakeAt) =>
      write(
        `step-started ${name}`,
        oneChange(
          fence,
          () => begin.run({ ...fenced(fence), name, status: "waiting", now: now(), wake: wakeAt }),
        ),
      ),
    stepEnded: (fence, name, { status, busy, progress, total, errors = 0, wakeAt, result, error }) =>
      write(
        `step-${status === "waiting" ? "retry" : status} ${name}`,
        oneChange(fence, () =>
          end.run({
            ...fenced(fence),
            ...columns(error),
            name,
            status,
            busy,
            progress,
            total,
            errors,
            wake: wakeAt ?? null,
            result: result ?? null,
            ended: status === "waiting" ? null : now(),
          })),
      ),
    progress(fence, name, done, total) {
      crashPoint(`before progress ${name}`);
      database.once(oneChange(fence, () => progress.run({ ...fenced(fence), name, done, total })));
      crashPoint(`after progress ${name}`);
    },
  };
}

/** The fence as named parameters. */
function fenced({ run, generation }: Fence): { run: string; generation: number } {
  return { run, generation };
}

function columns(error: CairnError | undefined): {
  code: string | null;
  message: string | null;
  hint: string | null;
} {
  return { code: error?.code ?? null, message: error?.message ?? null, hint: error?.hint ?? null };
}

function known(row: Row | undefined, id: string): Row {
  if (row !== undefined) return row;
  throw new CairnError("not_found", `there is no run ${id}`, { hint: "list the runs with: cairn runs list" });
}
