/** `cairn ping`: can this database be reached and backed up? */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const command = program.command("ping")
    .helpGroup(GROUPS.look)
    .summary("test the connection to a database")
    .description("Reaches a database and tells its version and size. Changes nothing.")
    .argument("<database>", "name, URL or path")
    .action(action(async (session, database) => {
      const [{ openSurroundings }, { chooseDatabase }, { accessTo }, { formatBytes, formatDuration }] =
        await Promise.all([
          import("./workplace.ts"),
          import("./choose.ts"),
          import("../steps/access.ts"),
          import("./format.ts"),
        ]);
      const { config, environment } = await openSurroundings(session);
      const { address } = await chooseDatabase(config, database, undefined, session.output);
      const ping = await environment.adapter(address.engine).ping(
        await accessTo(environment, address),
        session.signal,
      );
      const { output } = session;
      const latency = formatDuration(ping.latencyMilliseconds);
      output.line(`${address.url} answers in ${latency}: ${ping.engineVersion}, ${formatBytes(ping.bytes)}`);
      for (const fact of ping.facts) output.line(`  ${fact}`);
      output.json({ status: "ok", database: address.url, ...ping });
    }));
  addExamples(command, [
    ["cairn ping app.db", "an SQLite file"],
    ["cairn ping shop", "a database from cairn.yaml"],
  ]);
}
