/** One call of the program: what the user asked for globally, and what every command needs for its work. */
import type { Config } from "../config/config.ts";
import { stateFolder } from "../config/paths.ts";
import { CairnError, toCairnError } from "../errors.ts";
import { failureJson, failureLines } from "./failure.ts";
import type { Log } from "./log.ts";
import { createOutput, type Output } from "./output.ts";
import { createStyle, mayColor } from "./terminal.ts";
import { write } from "./write.ts";

/** The options that every command has. A type, not an interface, because commander wants an index signature. */
export type GlobalOptions = {
  config?: string;
  home?: string;
  json?: true;
  quiet?: true;
  debug?: true;
  color: boolean;
  utc?: true;
};

/** What a command works with. */
export interface Session {
  readonly options: GlobalOptions;
  readonly output: Output;
  /** The program's version, for manifests. */
  readonly version: string;
  /**
   * The configuration, read at the first call; `home` heeds it from then on. Throws what `loadConfig` throws. Every
   * action begins with it, unless it says otherwise.
   */
  config(): Promise<Config>;
  /** The state folder, absolute; it need not exist. */
  readonly home: string;
  /**
   * Aborted by the first Ctrl-C (or SIGTERM, SIGHUP); the second ends the process at once. A command that never asks
   * for it is ended by the first.
   */
  readonly signal: AbortSignal;
  /** Opens `logs/cairn.log` in the state folder at the first call. Closed when the command ends. */
  log(): Promise<Log>;
  /** Says which run a failure belongs to, and whether it can be resumed; undefined takes it back. */
  ownRun(run: string | undefined, isResumable?: boolean): void;
  /** Tells an error as the user asked for it, and in the log when that is open. */
  fail(error: unknown): CairnError;
  /** Gives everything back. Safe to repeat. */
  close(): Promise<void>;
}

/** Opens a session. Creates nothing on disk. */
export function openSession(options: GlobalOptions, version: string): Session {
  const output = createOutput(options);
  const stopped = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let isListening = false;
  let config: Config | undefined;
  let log: Promise<Log> | undefined;
  let run: string | undefined;
  let isRunResumable = false;

  const stop = () => {
    if (stopped.signal.aborted) {
      output.close();
      Deno.exit(130);
    }
    stopped.abort(new CairnError("interrupted", "stopped by a signal"));
    if (run !== undefined) output.warn("stopping at the next safe point; once more to stop at once");
  };
  const listen = () => {
    if (isListening) return;
    isListening = true;
    for (const signal of signals) Deno.addSignalListener(signal, stop);
  };

  return {
    options,
    output,
    version,
    async config() {
      const { loadConfig } = await import("../config/config.ts");
      return config ??= await loadConfig({ flag: options.config });
    },
    get home() {
      return stateFolder(options.home, config ?? {});
    },
    get signal() {
      listen();
      return stopped.signal;
    },
    log() {
      return log ??= import("./log.ts").then(({ openLog }) =>
        openLog(stateFolder(options.home, config ?? {}), options.debug)
      );
    },
    ownRun(id, isResumable = true) {
      run = id;
      isRunResumable = isResumable;
    },
    fail(thrown) {
      const error = toCairnError(thrown);
      output.close();
      const context = { run, isResumable: isRunResumable };
      const style = createStyle(mayColor("stderr", options.color));
      for (const line of failureLines(error, context, style, options.debug)) write("stderr", `${line}\n`);
      output.json(failureJson(error, context));
      log?.then((open) => open.error(error), () => {});
      return error;
    },
    async close() {
      output.close();
      if (isListening) { for (const signal of signals) Deno.removeSignalListener(signal, stop); }
      isListening = false;
      const open = log;
      log = undefined;
      await open?.then((each) => each[Symbol.asyncDispose](), () => {});
    },
  };
}
