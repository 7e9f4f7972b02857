/** Draws progress: redrawn lines at a terminal, plain lines in a pipe, nothing when nobody wants it. */
import { advance, NO_PROGRESS, plainSettled, plainStage, type ProgressEvent, render } from "./progress.ts";

/** Where the events of a run go. */
export interface Progress {
  /** Takes an event; cheap enough to call for each block. */
  update(event: ProgressEvent): void;
  /** Draws what is left and gives the terminal back. Nothing is drawn afterwards. Safe to repeat. */
  finish(): void;
}

/** A terminal, or what a test puts in its place. */
export interface Screen {
  readonly write: (text: string) => void;
  readonly width: () => number;
  readonly color: boolean;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** Redrawing more often than this only costs. */
const FRAME_MILLISECONDS = 100;
/** The rate and the time left go on while no event comes. */
const IDLE_MILLISECONDS = 1000;
const PLAIN_MILLISECONDS = 60_000;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
// DECAWM off while drawing: a line that is a column too wide is cut by the terminal instead of breaking the frame.
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";

/**
 * Finished stages stay as lines, the running ones are redrawn below them, at most ten times a second. The cursor is
 * hidden meanwhile: whoever ends the process must call `finish`.
 */
export function createLiveProgress(screen: Screen): Progress {
  let state = NO_PROGRESS;
  let drawnSettled = 0;
  let drawnLive = 0;
  let drawnAt = -Infinity;
  let timer: number | undefined;
  let dueAt = Infinity;
  let isFinished = false;

  const draw = (last = false) => {
    drawnAt = screen.now();
    const lines = render(state, screen.width(), screen.color, drawnAt);
    const fresh = lines.slice(drawnSettled, state.settled.length);
    const live = lines.slice(state.settled.length);
    // Up to the first live line, then erase to the end of the screen (ECMA-48 CPL and ED).
    const back = drawnLive > 0 ? `\x1b[${drawnLive}F\x1b[J` : "";
    const text = [...fresh, ...live].map((line) => `${line}\n`).join("");
    screen.write(`${HIDE_CURSOR}${NO_WRAP}${back}${text}${WRAP}${last ? SHOW_CURSOR : ""}`);
    drawnSettled = state.settled.length;
    drawnLive = live.length;
  };
  const schedule = (delay: number) => {
    clearTimeout(timer);
    dueAt = screen.now() + delay;
    timer = setTimeout(() => {
      draw();
      schedule(IDLE_MILLISECONDS);
    }, delay);
    // A picture of the work must not keep the process alive.
    Deno.unrefTimer(timer);
  };

  const finish = () => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(timer);
    globalThis.removeEventListener("unload", finish);
    if (drawnAt > -Infinity) draw(true);
  };
  // However the process ends, apart from being killed, the cursor comes back.
  globalThis.addEventListener("unload", finish);

  return {
    update(event) {
      if (isFinished) return;
      state = advance(state, event, screen.now());
      const wait = FRAME_MILLISECONDS - (screen.now() - drawnAt);
      if (wait <= 0) {
        draw();
        schedule(IDLE_MILLISECONDS);
      } else if (dueAt > screen.now() + wait) schedule(wait);
    },
    finish,
  };
}

/** A line for each finished stage and note; for a stage that takes long also one a minute. */
export function createPlainProgress(screen: Pick<Screen, "write" | "now">): Progress {
  let state = NO_PROGRESS;
  let written = 0;
  let isFinished = false;
  const saidAt = new Map<string, number>();

  return {
    update(event) {
      if (isFinished) return;
      const now = screen.now();
      state = advance(state, event, now);
      for (; written < state.settled.length; written++) {
        const settled = state.settled[written];
        if (settled) screen.write(`${plainSettled(settled)}\n`);
      }
      if (event.kind === "note") return;
      if (event.kind === "stage-done") saidAt.delete(event.stage);
      const stage = state.active.find((each) => each.name === event.stage);
      if (stage === undefined) return;
      const said = saidAt.get(stage.name);
      if (said === undefined) saidAt.set(stage.name, now);
      else if (now - said >= PLAIN_MILLISECONDS) {
        saidAt.set(stage.name, now);
        screen.write(`${plainStage(stage, now)}\n`);
      }
    },
    finish() {
      isFinished = true;
    },
  };
}

/** Progress that nobody wants to see. */
export const SILENT_PROGRESS: Progress = { update: () => {}, finish: () => {} };
