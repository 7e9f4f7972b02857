/**
 * How artifacts are named: ids that sort by time, labels, and the keys of all objects of an artifact in a store.
 * The layout is described in `docs/format.md`. No name is ever taken from a manifest as a path: keys are built here.
 */
import { CairnError } from "../errors.ts";

/** How an artifact was made; deltas come later. */
export type ArtifactType = "full";

const ID = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-[a-z0-9]{6}$/;
const LABEL = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const FORMAT = /^[a-z0-9]{1,16}$/;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Six random characters of `[a-z0-9]`. */
export function randomSuffix(): string {
  const letters: string[] = [];
  while (letters.length < 6) {
    const byte = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
    if (byte < 252) letters.push(ALPHABET.charAt(byte % ALPHABET.length));
  }
  return letters.join("");
}

/** Makes an id like `20261123T050311482Z-7f3k2q` for a time in milliseconds since 1970. */
export function makeId(milliseconds: number, suffix: string = randomSuffix()): string {
  const stamp = new Date(milliseconds).toISOString().replace(/[-:.]/g, "");
  return `${stamp}-${suffix}`;
}

/** True when the text is a whole artifact id. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** The time in an id, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  const [, ...fields] = ID.exec(id) ?? [];
  if (fields.length !== 7) throw new CairnError("usage", `"${id}" is not an artifact id`);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, milli = 0] = fields.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second, milli);
}

/** Checks a label; throws `usage`. */
export function checkLabel(label: string): string {
  if (LABEL.test(label)) return label;
  throw new CairnError("usage", `"${label}" cannot be a label`, {
    hint:
      "a label has lower-case letters, digits, dots, underscores and hyphens, begins with a letter or digit, " +
      "and has at most 63 characters",
  });
}

/** A label made from the name of a file or a database. */
export function deriveLabel(name: string): string {
  const cleaned = name.toLowerCase().normalize("NFKD")
    .replace(/\.(db|sqlite|sqlite3|db3)$/, "")
    .replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+/, "").replace(/-+$/, "").slice(0, 63);
  return cleaned === "" ? "database" : cleaned;
}

/** The keys of the objects of one artifact. */
export interface ArtifactKeys {
  /** Put before everything else, removed after the manifest: tells a running backup from an orphan. */
  readonly open: string;
  /** The folder of the parts. */
  readonly folder: string;
  readonly sums: string;
  /** The protected identity, in passphrase mode. */
  readonly identity: string;
  readonly manifest: string;
}

/** The keys of an artifact in the folder `label`; throws `verification` when a field could lead elsewhere. */
export function artifactKeys(
  label: string,
  artifact: { readonly id: string; readonly type: string; readonly format: string },
): ArtifactKeys {
  if (!isId(artifact.id) || artifact.type !== "full" || !FORMAT.test(artifact.format)) {
    throw new CairnError("verification", `the artifact names a folder that Cairn would never make`, {
      hint: "the manifest is damaged or forged",
    });
  }
  const folder = `${label}/${artifact.id}.${artifact.type}.${artifact.format}`;
  return {
    open: openKey(label, artifact.id),
    folder,
    sums: `${folder}/SHA256SUMS`,
    identity: `${folder}/identity.age`,
    manifest: manifestKey(label, artifact.id),
  };
}

/** The key of the marker of a backup in progress. */
export function openKey(label: string, id: string): string {
  return `${label}/${id}.open`;
}

/** The key of an artifact's manifest. */
export function manifestKey(label: string, id: string): string {
  return `${label}/${id}.manifest.json`;
}

/** Splits the name of a manifest object into its id; undefined for every other name. */
export function idOfManifest(name: string): string | undefined {
  const id = name.endsWith(".manifest.json") ? name.slice(0, -".manifest.json".length) : "";
  return isId(id) ? id : undefined;
}
