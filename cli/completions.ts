/** `cairn completions`: the script that lets a shell complete commands, options and names. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

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
    }));
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
      root.parse(words);
    }));
}

/** The tree of commands as the completion library sees it: of a second program, because it adds commands of its own. */
async function describe(version: string) {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const { Command } = await import("commander");
  const { buildProgram } = await import("./program.ts");
  const program: unknown = buildProgram(version, { completions: false });
  // The same class, but the types of the two packages do not know each other.
  if (!(program instanceof Command)) throw new TypeError("the program is no command of commander");
  return tab(program, { completionCommandName: "completions" });
}
