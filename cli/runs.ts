/** `cairn runs`: what was done, what is going on, what can go on. */
import { action, addExamples, GROUPS, type Program, wholeNumber } from "./command.ts";

/** Adds the command and its subcommands. */
export function register(program: Program): void {
  const runs = program.command("runs")
    .helpGroup(GROUPS.runs)
    .summary("list runs, newest first")
    .description(
      "Lists runs, newest first. A run without a live process shows as interrupted: it can be resumed.",
    );
  const list = runs.command("list", { isDefault: true })
    .description("Lists runs, newest first.")
    .option("--label <label>", "only those of one database")
    .option("--unfinished", "only those that can go on")
    .option("--limit <number>", "at most so many", wholeNumber)
    .action(action(async (session, options) => {
      const { listRuns } = await import("./runs_run.ts");
      await listRuns(session, options);
    }));
  const show = runs.command("show")
    .description("Shows the stages of one run, its steps while it is unfinished, and its error.")
    .argument("<run>", "its id, or the beginning of it")
    .action(action(async (session, id) => {
      const { showOneRun } = await import("./runs_run.ts");
      await showOneRun(session, id);
    }));
  addExamples(runs, [
    ["cairn runs", "what was done lately"],
    ["cairn runs show backup-20261123T05", "the stages of one run"],
  ]);
  addExamples(list, [["cairn runs list --unfinished --json", "what can go on, for a script"]]);
  addExamples(show, [["cairn runs show backup-20261123T05", "the stages of one run"]]);
}
