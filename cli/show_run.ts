/** What `cairn show` does. */
import { toCairnError } from "../errors.ts";
import { findIn } from "../steps/find_in.ts";
import { restoreCommand } from "../steps/manifest.ts";
import { readArtifact } from "../steps/read_artifact.ts";
import { storesToRead } from "./choose.ts";
import { formatBytes, formatCount, formatPercent } from "./format.ts";
import { chooseKeys, type KeyOptions } from "./keys.ts";
import type { Session } from "./session.ts";
import { openSurroundings } from "./workplace.ts";

/** Shows one artifact; the private part as far as a key is at hand. */
export async function show(
  session: Session,
  reference: string,
  options: KeyOptions & { readonly from?: string },
): Promise<void> {
  const { output } = session;
  const { config, environment } = await openSurroundings(session);
  const found = await findIn(environment, reference, await storesToRead(config, options.from, session.home));
  const keys = await chooseKeys(session, options);
  const { manifest, opened, closedBecause } = await readArtifact(environment, found, keys, session.signal);
  if (closedBecause && (options.identity || options.passphraseFile)) throw closedBecause;

  const share = formatPercent(manifest.storedBytes, manifest.plainBytes);
  const facts: (readonly [string, string])[] = [
    ["artifact", manifest.id],
    ["label", manifest.label],
    ["type", `${manifest.type} (${manifest.engine}, ${manifest.format})`],
    ["taken", output.date(new Date(manifest.createdAt))],
    ["plain", formatBytes(manifest.plainBytes)],
    [
      "stored",
      `${formatBytes(manifest.storedBytes)} (${share}) in ${formatCount(manifest.parts.length, "part")}`,
    ],
    ["codec", manifest.codec],
    ["encryption", manifest.encryption],
    ["store", found.store],
    ["manifest", found.manifest],
    ["run", manifest.run],
    ["versions", Object.entries(manifest.versions).map(([name, version]) => `${name} ${version}`).join(", ")],
  ];
  if (opened) {
    facts.push(
      ["source", `${opened.source} on ${opened.host}`],
      ["sha-256", `${opened.plainSha256} (plain)`],
      ["tables", opened.tables.map((table) => `${table.name} (${table.rows})`).join(", ") || "none"],
    );
  }
  output.table([{ title: "" }, { title: "" }], facts.map(([name, value]) => [name, value]));
  if (closedBecause) output.line(`private part not shown: ${toCairnError(closedBecause).message}`);
  output.line();
  output.line("without Cairn, in bash, in the folder of the manifest:");
  // Made here, not taken from the manifest: people paste it into a shell, and a manifest may be forged.
  output.line(`  ${restoreCommand(manifest)}`);
  output.json({
    artifact: { ...manifest, store: found.store, manifest: found.manifest, private: opened ?? null },
  });
}
