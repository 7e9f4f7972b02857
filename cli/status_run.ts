/** What `cairn status` does. */
import { toCairnError } from "../errors.ts";
import { prepareHome } from "../steps/home.ts";
import { refreshCatalog } from "../steps/refresh_catalog.ts";
import { type LabelStatus, statusOf } from "../steps/status.ts";
import { storesToRead } from "./choose.ts";
import { formatAgo, formatBytes, formatCount } from "./format.ts";
import type { Session } from "./session.ts";
import { openWorkplace } from "./workplace.ts";

/** Shows one line per database; the exit code is 1 when something is not well. */
export async function status(session: Session): Promise<number> {
  await prepareHome(session.home);
  await using workplace = await openWorkplace(session);
  const { config, environment, engine } = workplace;
  const { output } = session;
  const unreachable: { store: string; reason: string }[] = [];
  for (const url of await storesToRead(config, undefined, session.home)) {
    try {
      const store = await environment.openStore(url);
      await refreshCatalog(session.home, store, { signal: session.signal });
      await store.close();
    } catch (error) {
      unreachable.push({ store: url, reason: toCairnError(error).message });
    }
  }
  const labels = await statusOf(
    environment,
    engine,
    [...config.databases].map(([name, each]) => each.label ?? name),
    config.encryptTo,
  );
  const now = new Date();
  if (labels.length === 0) output.line("nothing is backed up yet: `cairn backup <database>` begins");
  else {
    output.table(
      [
        { title: "DATABASE" },
        {
          title: "STATE",
          paint: (cell) => /^(ok|running)/.test(cell) ? output.style.green(cell) : output.style.yellow(cell),
        },
        { title: "" },
      ],
      labels.map((label) => [label.label, label.state, describe(label, now)]),
    );
  }
  for (const { store, reason } of unreachable) output.warn(`${store}: ${reason}`);
  const bad = labels.filter((label) => !label.isWell).length + unreachable.length;
  if (bad > 0) output.line(`${formatCount(bad, "thing is", "things are")} not well`);
  output.json({ well: bad === 0, databases: labels.map((label) => ({ ...label })), unreachable });
  return bad === 0 ? 0 : 1;
}

function describe(status: LabelStatus, now: Date): string {
  const facts = [
    status.lastGood === null
      ? "no good backup"
      : `last good ${formatAgo(new Date(status.lastGood.createdAt), now)}`,
    ...status.lastGood === null ? [] : [formatBytes(status.lastGood.storedBytes), status.mode],
    ...status.unfinished.map((run) => `${run.id} is ${run.status}`),
  ];
  if (status.mode === "sealed" && !status.keyProven) facts.push("key never checked (`cairn key check`)");
  return facts.join(" · ");
}
