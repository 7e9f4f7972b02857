/** `cairn catalog rebuild`: the cache of manifests, made anew from the stores. */
import { action, addExamples, GROUPS, type Program } from "./command.ts";

/** Adds the command. */
export function register(program: Program): void {
  const catalog = program.command("catalog")
    .helpGroup(GROUPS.care)
    .summary("rebuild the catalog")
    .description("The catalog is a cache of the manifests in the stores. It can be deleted at any time.");
  const rebuild = catalog.command("rebuild")
    .description("Reads every manifest of the known stores, or of one, into a fresh catalog.")
    .option("--from <store>", "only this store: a name from cairn.yaml or a folder")
    .action(action(async (session, options) => {
      const [{ openSurroundings }, { storesToRead }, { refreshCatalog }, { prepareHome }, { formatCount }] =
        await Promise
          .all([
            import("./workplace.ts"),
            import("./choose.ts"),
            import("../steps/refresh_catalog.ts"),
            import("../steps/home.ts"),
            import("./format.ts"),
          ]);
      const { output } = session;
      const { config, environment } = await openSurroundings(session);
      await prepareHome(session.home);
      const stores = [];
      for (const url of await storesToRead(config, options.from, session.home)) {
        const store = await environment.openStore(url);
        const { added, damaged } = await refreshCatalog(session.home, store, {
          anew: true,
          signal: session.signal,
        });
        await store.close();
        output.line(`${url}: ${formatCount(added, "artifact")}`);
        for (const { manifest, reason } of damaged) output.warn(`${url}/${manifest} is left out: ${reason}`);
        stores.push({ store: url, artifacts: added, damaged });
      }
      output.json({ status: "done", stores });
    }));
  addExamples(rebuild, [[
    "cairn catalog rebuild --from /mnt/nas/backups",
    "on a machine that has only the backups",
  ]]);
}
