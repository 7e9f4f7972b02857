/** `cairn verify`: is an artifact whole? */
import { action, addExamples, collect, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("verify")
    .helpGroup(GROUPS.care)
    .summary("check that an artifact is whole")
    .description("Checks that every part of an artifact is there, with its size and checksum.")
    .argument("<artifact>", "an id or its beginning, latest, latest:<label>, a manifest or a folder of parts")
    .option(
      "--read-data",
      "also decode everything and compare the checksum of the plain dump (needs the key)",
    )
    .option("--identity <file>", "file with an age identity; may be repeated", collect)
    .option("--passphrase-file <file>", "file with the passphrase, for artifacts made with one")
    .option("--from <store>", "the store to look in")
    .action(action(async (session, artifact, options) => {
      const { verify } = await import("./verify_run.ts");
      await verify(session, artifact, options);
    }));
  addExamples(command, [
    ["cairn verify latest:app", "without a key: every stored byte"],
    ["cairn verify latest:app --read-data", "with the key: that it decodes to what was dumped"],
  ]);
}
