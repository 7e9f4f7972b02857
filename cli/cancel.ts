/** `cairn cancel`: gives a run up and removes what it left. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("cancel")
    .helpGroup(GROUPS.runs)
    .summary("give an unfinished run up and remove what it left")
    .description("Gives an unfinished run up and removes what it left. A finished artifact is never touched.")
    .argument("<run>", "its id, or the beginning of it")
    .action(action(async (session, id) => {
      const { openWorkplace } = await import("./workplace.ts");
      await using workplace = await openWorkplace(session);
      const run = await workplace.engine.find(id);
      const outcome = await workplace.engine.cancel(run.id);
      session.output.line(
        outcome === "cancelled"
          ? `${run.id} is cancelled, and what it left is removed`
          : `${run.id} was told to stop; its process cleans up`,
      );
      session.output.json({ run: run.id, status: outcome });
    }));
  addExamples(command, [[
    "cairn cancel backup-20261123T050311482Z-7f3k2q",
    "after a disk has died for good",
  ]]);
}
