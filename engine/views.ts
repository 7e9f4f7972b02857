/** Runs and steps as they are shown: what is stored, and whether a live process works on them. */
import type { SQLInputValue } from "node:sqlite";
import { CairnError } from "../errors.ts";
import { needsPerson } from "./claim.ts";
import type { Database } from "./database.ts";
import type { Owner } from "./lock_file.ts";
import { type Row, type RunRow, runRow, type StepRow, stepRow, textOrNull } from "./rows.ts";
import type { RunFilter, RunStatus, RunView, StepView } from "./run.ts";
import { parseStages, stagesOf } from "./stages.ts";

/** The reading side of `control.db`. */
export interface Views {
  /** Throws `not_found`, or `usage` when several ids begin with `prefix` and none equals it. */
  find(prefix: string): Promise<RunView>;
  /** Newest first. */
  runs(filter?: RunFilter): Promise<RunView[]>;
  /** In the order in which they began; none for a run that ended. */
  steps(id: string): Promise<StepView[]>;
}

/** Reads through `database`; `ownerOf` tells who executes a run now. */
export function openViews(
  database: Database,
  ownerOf: (run: string) => Promise<Owner | "unknown" | null>,
): Views {
  const { connection, attempt } = database;
  const folded = connection.prepare("SELECT stages FROM run_data WHERE run = ?");
  const steps = connection.prepare("SELECT * FROM step WHERE run = ? ORDER BY started_ms, name");

  const query = (sql: string, ...values: SQLInputValue[]): Promise<RunRow[]> =>
    attempt(() => connection.prepare(sql).all(...values).map(runRow));
  const stepsOf = (id: string) => attempt(() => steps.all(id).map(stepRow));

  const view = async (row: RunRow): Promise<RunView> => {
    const ended = row.status === "done" || row.status === "cancelled";
    const owner = ended ? null : await ownerOf(row.id);
    const begun = ended ? [] : await stepsOf(row.id);
    const stages = ended ? await attempt(() => foldedStages(folded.get(row.id))) : stagesOf(begun);
    const status = statusOf(row, owner !== null, begun);
    const pid = owner === null || owner === "unknown" ? row.ownerPid : owner.pid;
    return {
      id: row.id,
      workflow: row.workflow,
      version: row.version,
      label: row.label,
      locks: row.locks,
      status,
      cancelRequested: row.cancelRequested,
      generation: row.generation,
      createdAt: row.createdAt,
      startedAt: row.startedAt,
      endedAt: row.endedAt,
      stages,
      error: row.error,
      owner: owner === null || pid === null ? null : { pid },
      resumable: !ended && owner === null && !row.cancelRequested,
      needsPerson: ended || owner !== null ? null : needsPerson(row),
    };
  };

  return {
    async find(prefix) {
      const exact = await query("SELECT * FROM run WHERE id = ?", prefix);
      const found = exact.length > 0
        ? exact
        : await query("SELECT * FROM run WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 3", prefix);
      const [row, other] = found;
      if (row === undefined || prefix === "") {
        throw new CairnError("not_found", `there is no run ${prefix}`, {
          hint: "list the runs with: cairn runs list",
        });
      }
      if (other !== undefined) {
        throw new CairnError("usage", `${prefix} could mean ${row.id} or ${other.id}`, {
          hint: "give more of the id",
        });
      }
      return view(row);
    },
    async runs({ label, unfinished = false, limit = -1 } = {}) {
      const conditions = [
        ...(label === undefined ? [] : ["label = ?"]),
        ...(unfinished ? ["status NOT IN ('done', 'cancelled')"] : []),
      ];
      const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
      const rows = await query(
        `SELECT * FROM run ${where} ORDER BY created_ms DESC, id DESC LIMIT ?`,
        ...(label === undefined ? [] : [label]),
        limit,
      );
      const views: RunView[] = [];
      for (const row of rows) views.push(await view(row));
      return views;
    },
    async steps(id) {
      const live = await ownerOf(id) !== null;
      return (await stepsOf(id)).map((step) => stepView(step, live));
    },
  };
}

function statusOf(row: RunRow, live: boolean, steps: readonly StepRow[]): RunStatus {
  if (row.status !== "running" && row.status !== "interrupted") return row.status;
  if (!live) return "interrupted";
  const waits = steps.some(({ status }) => status === "waiting");
  return waits && !steps.some(({ status }) => status === "running") ? "waiting" : "running";
}

function stepView(step: StepRow, live: boolean): StepView {
  const open = step.status === "running" || step.status === "waiting";
  return {
    name: step.name,
    status: open && !live ? "interrupted" : step.status,
    attempts: step.attempts,
    startedAt: step.startedAt,
    endedAt: step.endedAt,
    wakeAt: step.wakeAt,
    milliseconds: step.busy,
    done: step.progress,
    total: step.total,
    error: step.error,
  };
}

function foldedStages(row: Row | undefined): RunView["stages"] {
  const json = row === undefined ? null : textOrNull(row, "stages");
  return json === null ? [] : parseStages(json);
}
