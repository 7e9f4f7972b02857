/** `cairn restore`: an artifact into a database. */
import { names } from "./backup.ts";
import { action, addExamples, collect, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("restore")
    .helpGroup(GROUPS.work)
    .summary("restore an artifact")
    .description(
      "Restores an artifact: an id or its beginning, latest, latest:<label>, a manifest file or a folder of parts.",
    )
    .argument("<artifact>", "which one")
    .requiredOption("--into <database>", "where to: a name, a URL, or the path of an SQLite file")
    .option("--overwrite", "replace what the target holds")
    .option("--no-owner", "leave out owners and grants (PostgreSQL)")
    .option("--tables <names>", "only these tables, separated by commas", names)
    .option(
      "--identity <file>",
      "file with an age identity; may be repeated (default: the state folder's key.txt)",
      collect,
    )
    .option("--passphrase-file <file>", "file with the passphrase, for artifacts made with one")
    .option("--from <store>", "the store to look in: a name from cairn.yaml or a folder")
    .action(action(async (session, artifact, options) => {
      const { restore } = await import("./restore_run.ts");
      await restore(session, artifact, options);
    }));
  addExamples(command, [
    ["cairn restore latest:app --into restored.db", "the newest backup of app, beside it"],
    ["cairn restore 20261123T05 --into app.db --overwrite", "over what is there now"],
    ["cairn restore latest --into app.db --tables orders,users --overwrite", "two tables only"],
  ]);
}
