/** `cairn status`: can you sleep? */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("status")
    .helpGroup(GROUPS.look)
    .summary("tell whether all is well (exit 1 when not)")
    .description(
      "Per database: the last good backup and its age, unfinished runs, and whether this host can open its backups. " +
        "Exit code 1 when something is not well.",
    )
    .action(action(async (session) => {
      const { status } = await import("./status_run.ts");
      return await status(session);
    }));
  addExamples(command, [
    ["cairn status", "one line per database"],
    ["cairn status --quiet || mail -s backups admin", "for cron"],
  ]);
}
