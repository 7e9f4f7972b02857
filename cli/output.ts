/**
 * All that a command says. Results for people go to standard output, with `--json` to standard error, where standard
 * output carries JSON lines only; `--quiet` leaves warnings and errors.
 */
import type { Json } from "../engine/workflow.ts";
import { formatDate, formatDay } from "./format.ts";
import {
  createLiveProgress,
  createPlainProgress,
  type Progress,
  type Screen,
  SILENT_PROGRESS,
} from "./live_progress.ts";
import { redact } from "./redact.ts";
import { type Column, renderTable } from "./table.ts";
import { createStyle, isTerminal, mayColor, type StreamName, type Style, terminalWidth } from "./terminal.ts";
import { visible } from "./text.ts";
import { write } from "./write.ts";

/** The version of everything that `--json` writes (see `docs/scripting.md`). */
export const JSON_VERSION = 1;

/** What the user asked for. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly color?: boolean | undefined;
  readonly utc?: boolean | undefined;
}

/** The streams and the clock; tests put their own in place. */
export interface OutputSystem {
  readonly write: (stream: StreamName, text: string) => void;
  readonly isTerminal: (stream: StreamName) => boolean;
  readonly mayColor: (stream: StreamName, wanted: boolean) => boolean;
  readonly width: (stream: StreamName) => number;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/** What commands print with. */
export interface Output {
  /** True with `--json`. */
  readonly isJson: boolean;
  /** Colours for the stream that {@linkcode line} writes to. */
  readonly style: Style;
  /** A line for people, or an empty one. Names from outside go through `visible` first. */
  line(text?: string): void;
  /** A warning: standard error, also with `--quiet`. Does not disturb a live line. */
  warn(text: string): void;
  /** One JSON line on standard output, `version` first; nothing without `--json`. */
  json(value: { readonly [key: string]: Json }): void;
  /** A table for people. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** Begins to show the progress of a run; ends the one before. */
  progress(): Progress;
  /** A moment as people say it, or exact with `--utc`. */
  date(moment: Date): string;
  /** A day as people say it, or exact with `--utc`. */
  day(moment: Date): string;
  /** From now on standard output carries data, so text for people goes to standard error. */
  reserveStdout(): void;
  /** Ends live lines and gives the terminal back. Safe to repeat. */
  close(): void;
}

const REAL: OutputSystem = { write, isTerminal, mayColor, width: terminalWidth, now: Date.now };

/** The output of a command. */
export function createOutput(options: OutputOptions, system: OutputSystem = REAL): Output {
  const isJson = options.json ?? false;
  let people: StreamName = isJson ? "stderr" : "stdout";
  let current: Progress = SILENT_PROGRESS;
  let live: StreamName | undefined;

  const mayPaint = () => system.mayColor(people, options.color ?? true);
  const dateStyle = () => ({ now: new Date(system.now()), utc: options.utc });
  const line = (text = "") => {
    if (!options.quiet) system.write(people, `${redact(text)}\n`);
  };
  const close = () => {
    current.finish();
    current = SILENT_PROGRESS;
    live = undefined;
  };

  return {
    isJson,
    get style() {
      return createStyle(mayPaint());
    },
    line(text) {
      // A line in the middle of a live frame would tear it: it becomes one of its settled lines.
      if (live === undefined) line(text);
      else current.update({ kind: "note", text: redact(text ?? "") });
    },
    warn(text) {
      // Reasons quote what was found in files of others.
      const warning = `warning: ${redact(text).split("\n").map(visible).join("\n")}`;
      if (live !== undefined && system.isTerminal("stderr")) {
        current.update({ kind: "note", text: warning });
        return;
      }
      const style = createStyle(system.mayColor("stderr", options.color ?? true));
      system.write("stderr", `${style.yellow(warning)}\n`);
    },
    json(value) {
      if (!isJson) return;
      const whole = Object.assign({ version: JSON_VERSION }, value, { version: JSON_VERSION });
      const clean = (_: string, part: unknown) => typeof part === "string" ? redact(part) : part;
      system.write("stdout", `${JSON.stringify(whole, clean)}\n`);
    },
    table(columns, rows) {
      const lines = renderTable(columns, rows, system.width(people));
      if (lines.length > 0) line(lines.join("\n"));
    },
    progress() {
      close();
      if (options.quiet) return SILENT_PROGRESS;
      const stream = people;
      const screen: Screen = {
        write: (text) => system.write(stream, redact(text)),
        width: () => system.width(stream),
        color: mayPaint(),
        now: system.now,
      };
      live = system.isTerminal(stream) ? stream : undefined;
      const started = live ? createLiveProgress(screen) : createPlainProgress(screen);
      current = started;
      return {
        update: started.update,
        finish() {
          if (current === started) close();
        },
      };
    },
    date: (moment) => formatDate(moment, dateStyle()),
    day: (moment) => formatDay(moment, dateStyle()),
    reserveStdout() {
      people = "stderr";
    },
    close,
  };
}
