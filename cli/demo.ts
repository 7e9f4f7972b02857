/** `cairn demo`: the tour in ten seconds. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("demo")
    .helpGroup(GROUPS.setup)
    .summary("show a backup that is killed half-way, resumed and restored")
    .description(
      "Makes a sample database in a temporary folder, backs it up, kills the backup half-way with SIGKILL, " +
        "resumes it, restores it and compares the two. Removes everything afterwards.",
    )
    .option("--keep", "leave the folder for a closer look")
    .action(action(async (session, options) => {
      const { demo } = await import("./demo_run.ts");
      await demo(session, options);
    }));
  addExamples(command, [
    ["cairn demo", "takes ten seconds and leaves nothing"],
    ["cairn demo --keep", "to look at the parts and the manifest afterwards"],
  ]);
}
