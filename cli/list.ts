/** `cairn list`: which artifacts there are. */
import { action, addExamples, GROUPS, type Program, wholeNumber } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("list")
    .helpGroup(GROUPS.look)
    .summary("list artifacts, newest first")
    .description("Lists the artifacts of all known stores, newest first.")
    .option("--limit <number>", "at most so many", wholeNumber)
    .option("--label <label>", "only those of one database")
    .option("--from <store>", "only those of one store: a name from cairn.yaml or a folder")
    .action(action(async (session, options) => {
      const { list } = await import("./list_run.ts");
      await list(session, options);
    }));
  addExamples(command, [
    ["cairn list --limit 3", "the newest three"],
    ["cairn list --label app --from /mnt/nas/backups --json", "of one database in one store, for a script"],
  ]);
}
