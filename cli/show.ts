/** `cairn show`: everything that is known of one artifact. */
import { action, addExamples, collect, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("show")
    .helpGroup(GROUPS.look)
    .summary("show one artifact")
    .description("Shows what the manifest of an artifact says, and how to restore it without Cairn.")
    .argument("<artifact>", "an id or its beginning, latest, latest:<label>, a manifest or a folder of parts")
    .option(
      "--identity <file>",
      "file with an age identity, to show the private part too; may be repeated",
      collect,
    )
    .option("--passphrase-file <file>", "file with the passphrase, for artifacts made with one")
    .option("--from <store>", "the store to look in")
    .action(action(async (session, artifact, options) => {
      const { show } = await import("./show_run.ts");
      await show(session, artifact, options);
    }));
  addExamples(command, [
    ["cairn show latest:app", "the newest backup of app"],
    ["cairn show 20261123T05 --json", "its manifest, for a script"],
  ]);
}
