/** `cairn completions`: the script that lets a shell complete commands, options and names. */
import type { Complete, RootCommand } from "@bomb.sh/tab";
import { action, addExamples, GROUPS, type Program } from "./command.ts";
import { type Candidate, candidates, kindOf, type WordKind } from "./complete_names.ts";
import { openSession, type Session } from "./session.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** Adds `completions` and the hidden `complete`, which the scripts call. */
export function register(program: Program): void {
  const completions = program.command("completions")
    .helpGroup(GROUPS.setup)
    .summary("print the completion script of a shell")
    .description("Prints a script that lets a shell complete commands, options and names.")
    .addArgument(program.createArgument("<shell>", "the shell").choices(SHELLS))
    .action(action(async (session, shell) => {
      const root = await describe(session.version);
      root.setup("cairn", "cairn", shell);
    }, { withoutConfig: true }));
  addExamples(completions, [
    ["source <(cairn completions bash)", "for this shell; needs bash-completion"],
    ["cairn completions zsh > ~/.zfunc/_cairn", "for good, when ~/.zfunc is in fpath"],
    ["cairn completions fish > ~/.config/fish/completions/cairn.fish", "for good"],
  ]);

  program.command("complete [words...]", { hidden: true })
    .usage("-- [words...]")
    .description("Answers the completion scripts.")
    .action(action(async (session, words) => {
      const root = await describe(session.version);
      await addNames(root, words, sessionOf(words, session));
      root.parse(words);
    }, { withoutConfig: true }));
}

/**
 * Gives every command the global options, and the arguments and options that stand for names the names there are.
 * Handlers cannot wait, so the names are fetched before: only those that the word under the cursor may be.
 */
async function addNames(root: RootCommand, words: readonly string[], session: Session): Promise<void> {
  const start = words.at(-1) ?? "";
  const previous = words.at(-2) ?? "";
  const option = previous.startsWith("--") ? kindOf("option", previous.slice(2)) : undefined;
  const fetched = new Map<WordKind, readonly Candidate[]>();
  const fetch = async (kind: WordKind) => {
    const known = fetched.get(kind) ?? await candidates(kind, start, session);
    fetched.set(kind, known);
    return (complete: Complete) => known.forEach(({ value, description }) => complete(value, description));
  };
  const line = words.slice(0, -1).filter((word) => !word.startsWith("-")).join(" ");
  for (const command of root.commands.values()) {
    // An answer is one line.
    command.description = command.description.split("\n", 1).join("");
    for (const [name, global] of root.options) {
      if (!command.options.has(name)) command.options.set(name, global);
    }
    if (line !== command.value && !line.startsWith(`${command.value} `)) continue;
    for (const [name, known] of command.options) {
      const kind = kindOf("option", name);
      if (kind !== undefined && kind === option && !known.isBoolean) known.handler = await fetch(kind);
    }
    for (const [name, known] of command.arguments) {
      const kind = kindOf("argument", name);
      if (kind !== undefined && option === undefined) known.handler = await fetch(kind);
    }
  }
}

/** A session as the command that is being typed would have it. */
function sessionOf(words: readonly string[], { version }: Session): Session {
  const config = valueAfter("--config", words);
  const home = valueAfter("--home", words);
  const given = { ...(config === undefined ? {} : { config }), ...(home === undefined ? {} : { home }) };
  return openSession({ ...given, color: false }, version);
}

function valueAfter(flag: string, words: readonly string[]): string | undefined {
  const index = words.indexOf(flag);
  return index < 0 ? undefined : words[index + 1];
}

/** The tree of commands as the completion library sees it: of a second program, because it adds commands of its own. */
async function describe(version: string): Promise<RootCommand> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const { Command } = await import("commander");
  const { buildProgram } = await import("./program.ts");
  const program: unknown = buildProgram(version, { completions: false });
  // The same class, but the types of the two packages do not know each other.
  if (!(program instanceof Command)) throw new TypeError("the program is no command of commander");
  return tab(program, { completionCommandName: "completions" });
}
