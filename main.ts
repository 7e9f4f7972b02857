/** The program. What it becomes is decided by the first argument, and only that is loaded. */
import meta from "./deno.json" with { type: "json" };
import { CHILD_ARGUMENT } from "./adapters/sqlite/call.ts";

if (import.meta.main) {
  const [first] = Deno.args;
  if (first === CHILD_ARGUMENT) {
    const { serveChild } = await import("./adapters/sqlite/child.ts");
    await serveChild();
  } else if (first === "--version" || first === "-V") {
    await Deno.stdout.write(new TextEncoder().encode(`${meta.version}\n`));
  } else {
    const { start } = await import("./cli/start.ts");
    await start(meta.version, Deno.args);
  }
}
