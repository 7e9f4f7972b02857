/**
 * The manifest: the one object that makes a backup count. It is JSON (version 1, see `docs/format.md`), put last, and
 * read by everything that lists, restores or verifies.
 *
 * A manifest comes from a store and is not trusted: it is parsed strictly, and no field of it is used as a path.
 */
import * as v from "valibot";
import { CairnError } from "../errors.ts";
import { partName } from "../streams/part_name.ts";
import { isId } from "./artifact.ts";

/** The newest manifest version that this program writes and reads. */
export const MANIFEST_VERSION = 1;

const MOST_QUOTED_CHARACTERS = 300;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const text = v.pipe(v.string(), v.maxLength(4096));
const name = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/));

const partSchema = v.strictObject({
  /** The object's name in the artifact's folder. */
  name: v.pipe(v.string(), v.regex(/^\d{6}\.(zst|gz|bin)(\.age)?$/)),
  plainBytes: count,
  storedBytes: count,
  sha256,
});

const privateSchema = v.object({
  plainSha256: sha256,
  host: text,
  source: text,
  tables: v.array(v.object({ name: v.string(), rows: count })),
  warnings: v.array(v.string()),
});

const manifestSchema = v.pipe(
  v.object({
    version: v.literal(MANIFEST_VERSION),
    id: v.pipe(v.string(), v.check(isId, "is not an artifact id")),
    label: name,
    type: v.literal("full"),
    engine: name,
    format: v.pipe(v.string(), v.regex(/^[a-z0-9]{1,16}$/)),
    parent: v.null(),
    origin: text,
    run: text,
    fingerprint: sha256,
    moved: v.boolean(),
    createdAt: v.pipe(v.string(), v.isoTimestamp()),
    finishedAt: v.pipe(v.string(), v.isoTimestamp()),
    codec: v.picklist(["zstd", "gzip", "none"]),
    encryption: v.picklist(["none", "recipients", "passphrase"]),
    plainBytes: count,
    storedBytes: count,
    parts: v.pipe(v.array(partSchema), v.minLength(1)),
    versions: v.record(v.string(), text),
    restore: v.string(),
    private: v.union([v.string(), privateSchema]),
  }),
  v.check(
    (m) =>
      m.parts.every((part, index) => part.name === partName(index + 1, m.codec, m.encryption !== "none")),
    "names its parts in another way than Cairn does",
  ),
  v.check((m) => m.plainBytes === sum(m.parts.map((part) => part.plainBytes)), "states a wrong plain size"),
  v.check(
    (m) => m.storedBytes === sum(m.parts.map((part) => part.storedBytes)),
    "states a wrong stored size",
  ),
  v.check(
    (m) => (typeof m.private === "string") === (m.encryption !== "none"),
    "has a private part of the wrong kind",
  ),
);

/** A parsed manifest. */
export type Manifest = v.InferOutput<typeof manifestSchema>;
/** What only the holder of a key may see. */
export type PrivatePart = v.InferOutput<typeof privateSchema>;
/** A part as the manifest lists it. */
export type ManifestPart = v.InferOutput<typeof partSchema>;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Parses the text of a manifest; throws `verification`, or `newer_version` when a newer Cairn wrote it. */
export function parseManifest(content: string, where: string): Manifest {
  const hint = "restore another artifact: `cairn list` shows them";
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new CairnError("verification", `the manifest ${where} is damaged: it is not JSON`, { cause, hint });
  }
  const version = v.safeParse(v.object({ version: v.number() }), json);
  if (version.success && version.output.version > MANIFEST_VERSION) {
    throw new CairnError("newer_version", `the manifest ${where} was written by a newer Cairn`, {
      hint: "upgrade this program",
    });
  }
  const parsed = v.safeParse(manifestSchema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  const what = path === null ? `it ${issue.message}` : `${path}: ${issue.message}`;
  // The reason quotes what was found, which may be as long as the manifest.
  const why = what.slice(0, MOST_QUOTED_CHARACTERS);
  throw new CairnError("verification", `the manifest ${where} is damaged or forged: ${why}`, { hint });
}

/** The private part as it is stored: sealed to the recipients, or in clear where nothing is encrypted. */
export async function sealPrivate(
  part: PrivatePart,
  recipients: readonly string[],
): Promise<string | PrivatePart> {
  if (recipients.length === 0) return part;
  const { sealText } = await import("../streams/age.ts");
  return await sealText(JSON.stringify(part), recipients);
}

/** Opens the private part; throws `key` when none of the identities fits, `verification` when it is damaged. */
export async function openPrivate(manifest: Manifest, identities: readonly string[]): Promise<PrivatePart> {
  if (typeof manifest.private !== "string") return manifest.private;
  const damaged = (cause?: unknown) =>
    new CairnError(
      "verification",
      `the private part of the manifest of ${manifest.id} is damaged or forged`,
      {
        cause,
        hint: "restore another artifact: `cairn list` shows them",
      },
    );
  const { openText } = await import("../streams/age.ts");
  const opened = await openText(manifest.private, identities).catch((cause) => {
    if (!(cause instanceof CairnError)) throw cause;
    if (cause.code === "verification") throw damaged(cause);
    if (cause.code !== "key") throw cause;
    throw new CairnError("key", `no key that was given opens ${manifest.id}`, { cause, hint: cause.hint });
  });
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), privateSchema), opened);
  if (parsed.success) return parsed.output;
  throw damaged();
}

/** A word as a POSIX shell reads it back. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9._/=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command by which a person restores the artifact without Cairn, in bash, from the folder of the manifest.
 * `KEY` names the file with the age identity (not needed in passphrase mode, which asks); `OUT` the file to make,
 * `DB` the database of a server.
 */
export function restoreCommand(
  manifest: Pick<Manifest, "id" | "type" | "format" | "codec" | "encryption">,
): string {
  const folder = shellQuote(`${manifest.id}.${manifest.type}.${manifest.format}`);
  const suffix = partName(1, manifest.codec, manifest.encryption !== "none").slice(6);
  const key = manifest.encryption === "passphrase"
    ? `<(printf '%s\\n' "$key")`
    : `"\${KEY:?set KEY to the file with your age identity}"`;
  const read = manifest.encryption === "none" ? `cat "$part"` : `age -d -i ${key} "$part"`;
  const decode = { zstd: "zstd -dcq", gzip: "gzip -dc", none: "cat" }[manifest.codec];
  const unlock = manifest.encryption === "passphrase" ? `key=$(age -d ${folder}/identity.age) && ` : "";
  return `set -o pipefail; ${unlock}(cd ${folder} && sha256sum -c --quiet SHA256SUMS) && ` +
    `for part in ${folder}/??????${suffix}; do ${read} || exit 1; done | ${decode} ${load(manifest.format)}`;
}

/** Where the plain dump of a format goes. */
function load(format: string): string {
  if (format === "pgdump") {
    return `| pg_restore --exit-on-error --single-transaction ` +
      `--dbname="\${DB:?set DB to an empty database, such as postgres://user@host/database}"`;
  }
  return format === "sql" ? `| sqlite3 -bail "\${OUT:-restored.db}"` : `> "\${OUT:-restored.db}"`;
}
