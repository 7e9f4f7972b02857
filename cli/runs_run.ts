/** What `cairn runs` does. */
import type { Json } from "../engine/workflow.ts";
import type { RunView, StepView } from "../engine/run.ts";
import { formatAge, formatBytes, formatCount, formatDuration, formatPercent } from "./format.ts";
import type { Session } from "./session.ts";
import { openWorkplace } from "./workplace.ts";

/** The options of `runs list`. */
export interface RunsOptions {
  readonly label?: string;
  readonly unfinished?: true;
  readonly limit?: number;
}

const USUAL_LIMIT = 20;
/** Stages whose progress is counted in bytes. */
const BYTES = new Set(["snapshot", "dump", "seal", "upload", "load", "parts", "decode"]);

/** Lists runs. A terminal gets the newest twenty; scripts get all. */
export async function listRuns(session: Session, options: RunsOptions): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { output } = session;
  const runs = await workplace.engine.runs({
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.unfinished ? { unfinished: true } : {}),
    ...(options.limit === undefined ? output.isJson ? {} : { limit: USUAL_LIMIT } : { limit: options.limit }),
  });
  if (runs.length === 0) output.line("no runs yet");
  else {
    const now = Date.now();
    output.table(
      [
        { title: "RUN", keep: true },
        { title: "LABEL" },
        { title: "STATUS", paint: (cell) => paintStatus(output.style, cell) },
        { title: "STAGE" },
        { title: "AGE", align: "right" },
      ],
      runs.map((run) => [run.id, run.label, run.status, stageNow(run), formatAge(now - run.createdAt)]),
    );
  }
  output.json({ runs: runs.map((run) => runJson(run)) });
}

/** Shows one run. */
export async function showOneRun(session: Session, reference: string): Promise<void> {
  await using workplace = await openWorkplace(session);
  const { output } = session;
  const run = await workplace.engine.find(reference);
  const steps = await workplace.engine.steps(run.id);
  const facts: [string, string][] = [
    ["run", run.id],
    ["label", run.label],
    ["status", run.status + (run.owner ? ` in process ${run.owner.pid}` : "")],
    ["created", output.date(new Date(run.createdAt))],
  ];
  if (run.generation > 1) facts.push(["resumed", formatCount(run.generation - 1, "time")]);
  if (run.endedAt !== null && run.startedAt !== null) {
    facts.push(["took", formatDuration(run.endedAt - run.startedAt)]);
  }
  if (run.needsPerson !== null) facts.push(["note", run.needsPerson]);
  if (run.error !== null) facts.push(["error", run.error.message]);
  output.table([{ title: "" }, { title: "" }], facts);
  output.line();
  output.table(
    [
      { title: "STAGE" },
      { title: "STEPS", align: "right" },
      { title: "DONE", align: "right" },
      { title: "TIME", align: "right" },
      { title: "RETRIES", align: "right" },
    ],
    run.stages.map((stage) => [
      stage.stage,
      `${stage.finished} of ${stage.steps}`,
      BYTES.has(stage.stage) && stage.done > 0 ? formatBytes(stage.done) : "",
      formatDuration(stage.milliseconds),
      String(stage.retries),
    ]),
  );
  if (run.resumable) output.line(`cairn resume ${run.id}`);
  output.json({ run: runJson(run, steps) });
}

function runJson(run: RunView, steps?: readonly StepView[]): { readonly [key: string]: Json } {
  const time = (milliseconds: number | null) =>
    milliseconds === null ? null : new Date(milliseconds).toISOString();
  return {
    id: run.id,
    workflow: run.workflow,
    status: run.status,
    label: run.label,
    resumable: run.resumable,
    generation: run.generation,
    createdAt: time(run.createdAt),
    startedAt: time(run.startedAt),
    endedAt: time(run.endedAt),
    error: run.error === null ? null : { ...run.error },
    stages: run.stages.map((stage) => ({ ...stage })),
    ...(steps === undefined ? {} : {
      steps: steps.map(({ error, ...step }) => ({ ...step, error: error === null ? null : { ...error } })),
    }),
  };
}

/** The stage that an unfinished run is in, with its share where that is known. */
function stageNow(run: RunView): string {
  if (run.status === "done" || run.status === "cancelled") return "";
  const open = run.stages.filter((stage) => stage.finished < stage.steps);
  const stage = open.find((each) => each.stage === "dump") ?? open[0] ?? run.stages.at(-1);
  if (stage === undefined) return "";
  return stage.total ? `${stage.stage} ${formatPercent(stage.done, stage.total)}` : stage.stage;
}

function paintStatus(style: Session["output"]["style"], status: string): string {
  if (status.startsWith("done")) return style.green(status);
  return /^(stuck|failed)/.test(status) ? style.red(status) : style.yellow(status);
}
