/** The program: its global options, its commands, and what a wrong command line means. */
import { type Argument, Command, CommanderError, type Option } from "@commander-js/extra-typings";
import { CairnError } from "../errors.ts";
import { register as registerBackup } from "./backup.ts";
import { register as registerCancel } from "./cancel.ts";
import { register as registerCatalog } from "./catalog.ts";
import { addExamples, type Program } from "./command.ts";
import { register as registerCompletions } from "./completions.ts";
import { register as registerConfig } from "./config.ts";
import { register as registerDemo } from "./demo.ts";
import { register as registerExport } from "./export.ts";
import { register as registerInit } from "./init.ts";
import { register as registerKey } from "./key.ts";
import { register as registerList } from "./list.ts";
import { register as registerPing } from "./ping.ts";
import { register as registerRestore } from "./restore.ts";
import { register as registerResume } from "./resume.ts";
import { register as registerRuns } from "./runs.ts";
import { register as registerShow } from "./show.ts";
import { register as registerStatus } from "./status.ts";
import { register as registerVerify } from "./verify.ts";
import { terminalWidth } from "./terminal.ts";
import { write } from "./write.ts";

const HELP_WIDTH = 100;

/** Builds the command line. Nothing is read or written before it is parsed. */
export function buildProgram(
  version: string,
  parts: { completions: boolean } = { completions: true },
): Program {
  const program = createProgram(version);
  registerBackup(program);
  registerRestore(program);
  registerExport(program);
  registerList(program);
  registerShow(program);
  registerStatus(program);
  registerPing(program);
  registerVerify(program);
  registerCatalog(program);
  registerRuns(program);
  registerResume(program);
  registerCancel(program);
  registerInit(program);
  registerKey(program);
  registerConfig(program);
  registerDemo(program);
  if (parts.completions) registerCompletions(program);
  // Commander gives each group of commands a `help` of its own, beside `--help`: one way is enough.
  for (const command of program.commands) if (command.commands.length > 0) command.helpCommand(false);
  addExamples(program, [
    ["cairn backup app.db", "back up an SQLite file to ./backups, without any configuration"],
    ["cairn restore latest:app --into new.db", "restore its newest backup beside it"],
    ["cairn init", "make a configuration and a key for backups that are encrypted"],
  ]);
  return program;
}

function createProgram(version: string): Program {
  const globalOptions: Option[] = [];
  const program = new Command("cairn")
    .description("Backups of databases that go on where they were cut off, and restores that are proven.")
    .usage("<command> [options]")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .option("--config <file>", "configuration file (env: CAIRN_CONFIG)")
    .option("--home <folder>", "state folder (env: CAIRN_HOME)")
    .option("--json", "write JSON lines to standard output, text to standard error")
    .option("--quiet", "print warnings and errors only")
    .option("--debug", "print stacks, log more")
    .option("--no-color", "no colours (env: NO_COLOR)")
    .option("--utc", "exact times in UTC")
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(termOf)].join(" "),
      visibleGlobalOptions: (command) => command.parent === null ? [] : globalOptions,
      styleTitle: (title) => title.replace("Global Options", "Global options"),
    })
    .configureOutput({
      writeOut: (text) => write("stdout", text),
      // The help of a command whose subcommand is missing; errors are told by `failure.ts`.
      writeErr: (text) => write("stderr", text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(HELP_WIDTH, terminalWidth("stdout")),
      getOutHasColors: () => false,
    })
    .exitOverride()
    .showSuggestionAfterError();
  globalOptions.push(...program.options.filter((option) => option.long !== "--version"));
  return program;
}

/** As usage lines write it: `<artifact>`, `[database]`, `[words...]`. */
function termOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/**
 * Parses a command line and runs its command, whose exit code is in `Deno.exitCode` afterwards. Throws `usage` when
 * the line is wrong.
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<void> {
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end in an exception too.
    if (error.exitCode !== 0) throw usageError(error);
  }
}

/** What commander says, in our words: `error: unknown option '--jsn'\n(Did you mean --json?)`. */
function usageError(error: CommanderError): CairnError {
  if (error.code === "commander.help") {
    return new CairnError("usage", "a subcommand is missing", { hint: "the help above lists them" });
  }
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const near = rest.join(" ").match(/^\(Did you mean (?:one of )?(.*)\?\)$/)?.[1];
  return new CairnError("usage", first.replaceAll("'", '"').replace(/\.$/, ""), {
    hint: near === undefined
      ? "cairn --help lists the commands and options"
      : `did you mean ${quoteAll(near)}?`,
  });
}

function quoteAll(words: string): string {
  return words.split(", ").map((word) => `"${word}"`).join(" or ");
}
