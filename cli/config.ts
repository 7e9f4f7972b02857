/** `cairn config`: checks the configuration, and prints its JSON schema. */
import type { Json } from "../engine/workflow.ts";
import { action, addExamples, GROUPS, type Program } from "./command.ts";
import { formatCount } from "./format.ts";
import { visible } from "./text.ts";

/** Adds `config check` and `config schema`. */
export function register(program: Program): void {
  const config = program.command("config")
    .helpGroup(GROUPS.setup)
    .summary("check the configuration, print its schema")
    .description("The configuration file, cairn.yaml. Everything in it is optional.");

  const check = config.command("check")
    .summary("check the configuration")
    .description("Reads the configuration and says where it is wrong. Reaches no database and no store.")
    .action(action(async (session) => {
      const { output } = session;
      const config = await session.config();
      const databases = [...config.databases.keys()];
      const stores = [...config.stores.keys()];
      const counts = `${formatCount(databases.length, "database")}, ${formatCount(stores.length, "store")}`;
      if (config.file === undefined) output.line("there is no configuration file: nothing to check");
      else output.line(`${output.style.green("ok")} ${visible(config.file)}: ${counts}`);
      output.json({ status: "done", file: config.file ?? null, databases, stores });
    }));
  addExamples(check, [
    ["cairn config check", "the one that would be used"],
    ["cairn config check --config ./cairn.yaml", "another one, before it is put in place"],
  ]);

  const schema = config.command("schema")
    .summary("print the JSON schema of cairn.yaml")
    .description(
      "Prints the JSON schema of cairn.yaml. An editor uses it when the file begins with\n" +
        "# yaml-language-server: $schema=cairn.schema.json",
    )
    .action(action(async ({ output }) => {
      const { configJsonSchema } = await import("../config/schema.ts");
      const schema: Json = JSON.parse(JSON.stringify(await configJsonSchema()));
      if (!output.isJson) output.line(JSON.stringify(schema, null, 2));
      output.json({ status: "done", schema: schema });
    }, { withoutConfig: true }));
  addExamples(schema, [
    ["cairn config schema > cairn.schema.json", "for an editor"],
    ["cairn config schema | jq .properties.databases", "what a database can have"],
  ]);
}
