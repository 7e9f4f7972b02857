/**
 * Progress of a run, apart from drawing it: events go in, lines come out. Pure, so that frames can be compared in
 * tests without a terminal; `live_progress.ts` and `plain_progress.ts` write them.
 */
import { formatBytes, formatDuration, formatNumber, formatRate } from "./format.ts";
import { createStyle, type Style } from "./terminal.ts";
import { cut, textWidth, visible } from "./text.ts";

/** Something that happened to a stage of a run. */
export type ProgressEvent =
  /** A stage begins (or goes on after a restart). */
  | { readonly kind: "stage-started"; readonly stage: string; readonly text?: string | undefined }
  /**
   * How far it is. `text` replaces what is said of it (`12.4 GB → 2.1 GB`); without one the amount is shown.
   * Begins the stage when nobody did.
   */
  | {
    readonly kind: "stage-progress";
    readonly stage: string;
    readonly done: number;
    readonly total?: number | undefined;
    readonly text?: string | undefined;
    /** What `done` counts; bytes by default. Only bytes have a rate. */
    readonly unit?: Unit | undefined;
  }
  /** It is finished. With `done` and `total` the full bar and the mean rate stay visible. */
  | {
    readonly kind: "stage-done";
    readonly stage: string;
    readonly done?: number | undefined;
    readonly total?: number | undefined;
    readonly text?: string | undefined;
  }
  /** Something worth a line of its own. */
  | { readonly kind: "note"; readonly text: string };

/** What an amount counts. */
export type Unit = "bytes" | "items";

/** An amount at a moment (the clock in milliseconds). */
export interface Sample {
  readonly at: number;
  readonly done: number;
}

/** A stage that runs. */
export interface Stage {
  readonly name: string;
  readonly text?: string | undefined;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly unit: Unit;
  /** The first amount that was seen: what a resumed stage had done before does not count for its rate. */
  readonly first?: Sample | undefined;
  /** Amounts of the last seconds, oldest first. */
  readonly recent: readonly Sample[];
}

/** What a finished stage or a note leaves behind. */
export type Settled =
  | {
    readonly kind: "stage";
    readonly name: string;
    readonly text: string;
    readonly full: boolean;
    readonly bytesPerSecond?: number | undefined;
  }
  | { readonly kind: "note"; readonly text: string };

/** All that is known of a run's progress. */
export interface ProgressState {
  /** In the order in which they were finished; never changes but at its end. */
  readonly settled: readonly Settled[];
  /** In the order in which they began. */
  readonly active: readonly Stage[];
}

const WINDOW_MILLISECONDS = 10_000;
const SAMPLE_MILLISECONDS = 500;
const NAME_WIDTH = 10;
const BAR = { most: 22, least: 8 } as const;

/** Nothing has happened yet. */
export const NO_PROGRESS: ProgressState = { settled: [], active: [] };

/** The state after an event; `at` is the clock in milliseconds. */
export function advance(state: ProgressState, event: ProgressEvent, at: number): ProgressState {
  if (event.kind === "note") {
    return { ...state, settled: [...state.settled, { kind: "note", text: event.text }] };
  }
  const known = state.active.find((stage) => stage.name === event.stage);
  const stage = known ?? { name: event.stage, unit: "bytes", recent: [] };
  if (event.kind === "stage-done") {
    const active = state.active.filter((each) => each !== known);
    return { active, settled: [...state.settled, settle(stage, event, at)] };
  }
  const next = event.kind === "stage-progress"
    ? measure(stage, event, at)
    : { ...stage, text: event.text ?? stage.text };
  return {
    ...state,
    active: known ? state.active.map((each) => each === known ? next : each) : [...state.active, next],
  };
}

function measure(stage: Stage, event: ProgressEvent & { kind: "stage-progress" }, at: number): Stage {
  const now = { at, done: event.done };
  // An amount that falls is a new beginning: another take of a dump.
  const restarted = event.done < (stage.done ?? 0);
  const recent = restarted ? [] : stage.recent.filter((sample) => at - sample.at <= WINDOW_MILLISECONDS);
  const newest = recent.at(-1);
  return {
    name: stage.name,
    text: event.text ?? stage.text,
    done: event.done,
    total: event.total ?? stage.total,
    unit: event.unit ?? stage.unit,
    first: restarted ? now : stage.first ?? now,
    recent: newest && at - newest.at < SAMPLE_MILLISECONDS ? recent : [...recent, now],
  };
}

function settle(stage: Stage, event: ProgressEvent & { kind: "stage-done" }, at: number): Settled {
  const done = event.done ?? stage.done;
  const text = event.text ?? stage.text ?? (done === undefined ? "done" : amount(done, stage.unit));
  const full = event.done !== undefined && event.total !== undefined;
  const rate = full && stage.first && stage.unit === "bytes"
    ? rateBetween(stage.first, { at, done: event.done })
    : undefined;
  return { kind: "stage", name: stage.name, text, full, bytesPerSecond: rate };
}

/**
 * The lines of a frame: one for each finished stage or note, then one for each stage that runs, none wider than
 * `width` columns. The first `state.settled.length` lines never change again.
 */
export function render(state: ProgressState, width: number, color: boolean, at: number): string[] {
  const style = createStyle(color);
  return [
    ...state.settled.map((each) => renderSettled(each, width, style)),
    ...state.active.map((stage) => renderStage(stage, width, style, at)),
  ];
}

/** The line of a finished stage, or a note. */
export function renderSettled(settled: Settled, width: number, style: Style): string {
  if (settled.kind === "note") return cut(visible(settled.text), width);
  const rate = settled.bytesPerSecond === undefined ? "" : formatRate(settled.bytesPerSecond);
  return layOut(settled.name, settled.text, settled.full ? 1 : undefined, [rate], width, style);
}

/** The line of a stage that runs: bar, per cent, rate and time left, as far as they are known and fit. */
export function renderStage(stage: Stage, width: number, style: Style, at: number): string {
  const { share, rate, left } = facts(stage, at);
  return layOut(stage.name, label(stage), share, [rate, left], width, style);
}

/** The line of a stage for a pipe: no bar, no colour. */
export function plainStage(stage: Stage, at: number): string {
  const { share, rate, left } = facts(stage, at);
  const percent = share === undefined ? "" : `${Math.floor(share * 100)} %`;
  return plain(stage.name, [label(stage), percent, rate, left]);
}

/** The line of a finished stage or a note for a pipe. */
export function plainSettled(settled: Settled): string {
  if (settled.kind === "note") return visible(settled.text);
  const rate = settled.bytesPerSecond === undefined ? "" : formatRate(settled.bytesPerSecond);
  return plain(settled.name, [settled.text, rate]);
}

function plain(name: string, facts: readonly string[]): string {
  return `  ${name.padEnd(NAME_WIDTH)} ${visible(facts.filter(Boolean).join("  "))}`.trimEnd();
}

function facts(stage: Stage, at: number): { share: number | undefined; rate: string; left: string } {
  const { done, total } = stage;
  const share = done === undefined || !total ? undefined : Math.min(1, Math.max(0, done / total));
  const oldest = stage.recent[0];
  const speed = done === undefined || oldest === undefined ? undefined : rateBetween(oldest, { at, done });
  const left = share !== undefined && share < 1 && speed && total !== undefined && done !== undefined
    ? (total - done) / speed * 1000
    : undefined;
  return {
    share,
    rate: speed === undefined || stage.unit !== "bytes" ? "" : formatRate(speed),
    left: left === undefined || left < 1000 ? "" : `${formatDuration(left)} left`,
  };
}

/** Units per second, or undefined when no time has passed to tell. */
function rateBetween(from: Sample, to: Sample): number | undefined {
  const seconds = (to.at - from.at) / 1000;
  return seconds > 0 && to.done > from.done ? (to.done - from.done) / seconds : undefined;
}

function label(stage: Stage): string {
  if (stage.text !== undefined) return stage.text;
  return stage.done === undefined ? "" : amount(stage.done, stage.unit, stage.total);
}

function amount(done: number, unit: Unit, total?: number): string {
  if (unit === "bytes") return formatBytes(done);
  return total === undefined ? formatNumber(done) : `${formatNumber(done)} of ${formatNumber(total)}`;
}

/** Name, text, bar and facts in one line; what does not fit goes from the right: the bar shrinks first. */
function layOut(
  name: string,
  text: string,
  share: number | undefined,
  facts: readonly string[],
  width: number,
  style: Style,
): string {
  const head = `  ${name.padEnd(NAME_WIDTH)} ${visible(text)}`.trimEnd();
  const percent = share === undefined ? "" : `${String(Math.floor(share * 100)).padStart(3)} %`;
  const kept = [percent, ...facts].filter(Boolean);
  const tail = () => kept.join("  ");
  while (kept.length > 0 && textWidth(head) + 2 + textWidth(tail()) > width) kept.pop();
  if (kept.length === 0) return cut(head, width);
  const room = Math.min(BAR.most, width - textWidth(head) - textWidth(tail()) - 2);
  if (share === undefined || percent === "" || room < BAR.least) return `${head}  ${tail().trimStart()}`;
  return `${head} ${bar(share, room, style)} ${tail()}`;
}

function bar(share: number, width: number, style: Style): string {
  if (share >= 1) return style.green("━".repeat(width));
  const filled = Math.min(width - 1, Math.floor(share * width));
  return style.green(`${"━".repeat(filled)}╸`) + style.dim("━".repeat(width - filled - 1));
}
