/** `cairn export`: the plain dump of an artifact on standard output. */
import { CairnError } from "../errors.ts";
import { action, addExamples, collect, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("export")
    .helpGroup(GROUPS.work)
    .summary("write the plain dump of an artifact to standard output")
    .description("Writes the plain dump of an artifact to standard output. Fails when any checksum is wrong.")
    .argument("<artifact>", "an id or its beginning, latest, latest:<label>, a manifest or a folder of parts")
    .option("--identity <file>", "file with an age identity; may be repeated", collect)
    .option("--passphrase-file <file>", "file with the passphrase, for artifacts made with one")
    .option("--from <store>", "the store to look in")
    .action(action(async (session, artifact, options) => {
      const [{ openSurroundings }, { storesToRead }, { chooseKeys }, { findIn }, { exportArtifact }] =
        await Promise.all([
          import("./workplace.ts"),
          import("./choose.ts"),
          import("./keys.ts"),
          import("../steps/find_in.ts"),
          import("../steps/export.ts"),
        ]);
      session.output.reserveStdout();
      const { config, environment } = await openSurroundings(session);
      const found = await findIn(
        environment,
        artifact,
        await storesToRead(config, options.from, session.home),
      );
      const keys = await chooseKeys(session, options);
      await exportArtifact(environment, found, keys, Deno.stdout.writable, session.signal).catch((error) => {
        throw error instanceof Deno.errors.BrokenPipe ? nobodyReads(error) : error;
      });
    }));
  addExamples(command, [
    ["cairn export latest:app > app.db", "the database as a file"],
    ["cairn export 20261123T05 | sha256sum", "its checksum"],
  ]);
}

function nobodyReads(cause: Error): CairnError {
  return new CairnError("io", "standard output was closed before the whole dump was written", {
    hint: "whoever reads it stopped early: look at the command behind the pipe",
    cause,
  });
}
