/** What `cairn list` does: refresh the catalog from the stores, then show it. */
import { toCairnError } from "../errors.ts";
import { openCatalog } from "../steps/catalog.ts";
import { refreshCatalog } from "../steps/refresh_catalog.ts";
import { storesToRead } from "./choose.ts";
import { formatBytes } from "./format.ts";
import type { Session } from "./session.ts";
import { prepareHome } from "../steps/home.ts";
import { openSurroundings } from "./workplace.ts";

/** The options of the command. */
export interface ListOptions {
  readonly limit?: number;
  readonly label?: string;
  readonly from?: string;
}

/** Lists artifacts. A store that was named must answer; others that do not are left out with a warning. */
export async function list(session: Session, options: ListOptions): Promise<void> {
  const { output } = session;
  const { config, environment } = await openSurroundings(session);
  await prepareHome(session.home);
  const wanted = await storesToRead(config, options.from, session.home);
  for (const url of wanted) {
    try {
      const store = await environment.openStore(url);
      const { damaged } = await refreshCatalog(session.home, store, { signal: session.signal });
      for (const { manifest, reason } of damaged) output.warn(`${url}/${manifest} is left out: ${reason}`);
      await store.close();
    } catch (error) {
      if (options.from !== undefined) throw error;
      output.warn(`${url} is shown as it was last seen: ${toCairnError(error).message}`);
    }
  }
  const catalog = openCatalog(session.home);
  const filter = {
    label: options.label,
    limit: options.limit,
    store: options.from === undefined ? undefined : wanted[0],
  };
  const artifacts = catalog.list(filter);
  catalog.close();

  if (artifacts.length === 0) output.line("no artifacts yet: `cairn backup <database>` makes one");
  else {
    output.table(
      [
        { title: "ARTIFACT" },
        { title: "LABEL" },
        { title: "TYPE" },
        { title: "TAKEN" },
        { title: "PLAIN", align: "right" },
        { title: "STORED", align: "right" },
        { title: "STORE" },
      ],
      artifacts.map((artifact) => [
        artifact.id,
        artifact.label,
        artifact.type,
        output.date(new Date(artifact.createdAt)),
        formatBytes(artifact.sizeBytes),
        formatBytes(artifact.storedBytes),
        artifact.store,
      ]),
    );
  }
  output.json({ artifacts });
}
