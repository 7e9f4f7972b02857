/** What stands between a person and sleep: per database the last good backup, unfinished runs, and whether a key fits. */
import type { Engine } from "../engine/engine.ts";
import { type CatalogEntry, openCatalog } from "./catalog.ts";
import type { Environment } from "./environment.ts";
import { defaultKeyFile, readProofs } from "./key.ts";

/** A run that has not ended. */
export type UnfinishedRun = { readonly id: string; readonly workflow: string; readonly status: string };

/** How one database is. */
export type LabelStatus = {
  readonly label: string;
  /** `ok`, or the reason why it is not. */
  readonly state: "ok" | "running" | "no backup" | "unfinished" | "damaged";
  /** True when nobody has to look after it. */
  readonly isWell: boolean;
  readonly lastGood: CatalogEntry | null;
  readonly unfinished: readonly UnfinishedRun[];
  /** Whether this host can open its newest backup: `sealed` cannot, which may be wanted. */
  readonly mode: "not encrypted" | "sealed" | "keyed" | "passphrase";
  /** True when `cairn key check` has proven a key on this host, or none is needed. */
  readonly keyProven: boolean;
};

/**
 * The state of every label that has artifacts, runs or a place among the `configured` ones. `recipients` are those that backups
 * are made for; without any, one proven key is taken for the right one.
 */
export async function statusOf(
  environment: Environment,
  engine: Engine,
  configured: readonly string[],
  recipients: readonly string[],
): Promise<LabelStatus[]> {
  const catalog = openCatalog(environment.home);
  const newest = new Map<string, CatalogEntry>();
  for (const label of catalog.allLabels()) {
    const [entry] = catalog.list({ label, limit: 1 });
    if (entry) newest.set(label, entry);
  }
  catalog.close();

  const unfinished = Map.groupBy(await engine.runs({ unfinished: true }), (run) => run.label);
  const hasKey = await Deno.stat(defaultKeyFile(environment.home)).then(() => true, () => false);
  const proofs = await readProofs(environment.home);
  const isProven = proofs.size > 0 && recipients.every((recipient) => proofs.has(recipient));
  const labels = [...new Set([...configured, ...newest.keys(), ...unfinished.keys()])].sort();
  return labels.map((label): LabelStatus => {
    const lastGood = newest.get(label) ?? null;
    const runs = (unfinished.get(label) ?? []).map(({ id, workflow, status }) => ({ id, workflow, status }));
    const state = stateOf(lastGood, runs);
    const encryption = lastGood?.encryption ?? "none";
    return {
      label,
      state,
      isWell: state === "ok" || (state === "running" && lastGood !== null),
      lastGood,
      unfinished: runs,
      mode: encryption === "none"
        ? "not encrypted"
        : encryption === "passphrase"
        ? "passphrase"
        : hasKey
        ? "keyed"
        : "sealed",
      keyProven: encryption !== "recipients" || isProven,
    };
  });
}

function stateOf(lastGood: CatalogEntry | null, runs: readonly UnfinishedRun[]): LabelStatus["state"] {
  const alive = (run: UnfinishedRun) =>
    run.status === "running" || run.status === "waiting" || run.status === "queued";
  if (runs.some((run) => run.workflow === "verify" && run.status === "failed")) return "damaged";
  if (runs.some((run) => !alive(run))) return "unfinished";
  if (runs.length > 0) return "running";
  return lastGood === null ? "no backup" : "ok";
}
