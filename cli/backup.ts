/** `cairn backup`: one database into one store. */
import { action, addExamples, collect, GROUPS, type Program, wholeNumber } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("backup")
    .helpGroup(GROUPS.work)
    .summary("back up a database")
    .description("Backs up a database: a name from cairn.yaml, a URL, or the path of an SQLite file.")
    .argument("<database>", "name, URL or path")
    .option("--to <store>", "where to: a name from cairn.yaml or a folder (default ./backups)", collect)
    .addOption(
      program.createOption("--compress <codec>", "how to compress (default zstd)").choices(
        ["zstd", "gzip", "none"] as const,
      ),
    )
    .option("--level <number>", "compression level: zstd 1 to 19 (3), gzip 1 to 9 (6)", wholeNumber)
    .option("--encrypt-to <recipient>", "encrypt for an age recipient (age1…); may be repeated", collect)
    .option("--passphrase-file <file>", "encrypt with the passphrase in this file")
    .option("--label <label>", "the name under which this database is kept")
    .option("--tables <names>", "only these tables, separated by commas (needs --label)", names)
    .option("--exclude-tables <names>", "all but these tables (needs --label)", names)
    .action(action(async (session, database, options) => {
      const { backup } = await import("./backup_run.ts");
      await backup(session, database, options);
    }));
  addExamples(command, [
    ["cairn backup app.db", "an SQLite file to ./backups"],
    ["cairn backup app.db --to /mnt/nas/backups --encrypt-to age1…", "encrypted, to another disk"],
    ["cairn backup shop --json", "a database from cairn.yaml, for a script"],
  ]);
}

/** Parses a list of names separated by commas. */
export function names(value: string): readonly string[] {
  return value.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
