/** What the files of the commands share: their type, their action, their examples, the parsing of values. */
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { type GlobalOptions, openSession, type Session } from "./session.ts";

/** The program, to which each command's file adds its own. */
export type Program = Command<[], GlobalOptions>;

/** Headings under which `cairn --help` lists the commands. */
export const GROUPS = {
  work: "Back up and restore:",
  look: "See what there is:",
  care: "Take care:",
  runs: "Runs and schedules:",
  setup: "Set up:",
} as const;

/** How an action begins. */
export interface ActionOptions {
  /** True: the configuration is not read, so that the command also works where that is missing or wrong. */
  readonly withoutConfig?: boolean | undefined;
}

/**
 * An action for commander: gives `work` a session before the command's own arguments and options, tells its errors,
 * closes the session and sets the exit code, which is that of the error or the number that `work` returns.
 */
export function action<A extends unknown[]>(
  work: (session: Session, ...args: A) => Promise<number | void>,
  options: ActionOptions = {},
): (...args: A) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1);
    if (!(command instanceof Command)) throw new TypeError("an action was called without its command");
    const session = openSession(globalOptions(command), versionOf(command));
    try {
      if (!options.withoutConfig) await session.config();
      Deno.exitCode = await work(session, ...args) ?? 0;
    } catch (error) {
      Deno.exitCode = session.fail(error).exitCode;
    } finally {
      await session.close();
    }
  };
}

/** Adds examples to the help of a command: each a command line and what it does. */
export function addExamples(
  command: { addHelpText(position: "after", text: string): unknown },
  examples: readonly (readonly [line: string, meaning: string])[],
): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`.trimEnd());
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Collects an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...earlier ?? [], value];
}

/** Parses a whole number from 1; commander tells the user when it is none. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("It is no whole number above 0.");
}

function globalOptions(command: Command): GlobalOptions {
  const values: Readonly<Record<string, unknown>> = command.optsWithGlobals();
  const { config, home } = values;
  return {
    ...(typeof config === "string" ? { config } : {}),
    ...(typeof home === "string" ? { home } : {}),
    ...(values.json === true ? { json: true } : {}),
    ...(values.quiet === true ? { quiet: true } : {}),
    ...(values.debug === true ? { debug: true } : {}),
    ...(values.utc === true ? { utc: true } : {}),
    color: values.color !== false,
  };
}

/** The program's version, which only the root of the commands knows. */
function versionOf(command: { parent: unknown; version(): string | undefined }): string {
  const { parent } = command;
  return parent instanceof Command ? versionOf(parent) : command.version() ?? "unknown";
}
