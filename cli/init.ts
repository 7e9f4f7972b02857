/** `cairn init`: a configuration and a key, after a few questions. */
import { action, addExamples, collect, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("init")
    .helpGroup(GROUPS.setup)
    .summary("make a configuration and a key")
    .description("Asks a few questions, then writes a commented cairn.yaml and a key. Overwrites nothing.")
    .option("--yes", "ask nothing, take the defaults")
    .option("--database <path>", "an SQLite file to back up; may be repeated", collect)
    .option("--store <path>", "where backups go (default: ./backups)")
    .option("--no-encrypt", "do not encrypt")
    .option("--output <file>", "where to write the configuration (default: your config folder)")
    .action(action(async (session, options) => {
      const { init } = await import("./init_run.ts");
      await init(session, options);
    }, { withoutConfig: true }));
  addExamples(command, [
    ["cairn init", "with questions"],
    ["cairn init --yes --database app.db", "without: encrypted backups of app.db in ./backups"],
    ["cairn init --yes --no-encrypt --output ./cairn.yaml", "into this folder, without a key"],
  ]);
}
