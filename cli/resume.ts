/** `cairn resume`: a run goes on from its last finished step. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("resume")
    .helpGroup(GROUPS.runs)
    .summary("go on with a run that was cut off or failed")
    .description("Goes on with a run from its last finished step: nothing that is done is done again.")
    .argument("<run>", "its id, or the beginning of it")
    .option("--take-over", "end the process that owns the run first (when it hangs or is stopped)")
    .action(action(async (session, id, options) => {
      const { resume } = await import("./resume_run.ts");
      await resume(session, id, options);
    }));
  addExamples(command, [
    ["cairn resume backup-20261123T050311482Z-7f3k2q", "the run that `cairn runs` shows as interrupted"],
    ["cairn resume backup-20261123T05 --take-over", "although another process holds it and hangs"],
  ]);
}
