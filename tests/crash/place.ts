/** Where one case happens: a folder with a state folder, a store, a source and a target of its own. */
import { join } from "node:path";
import { parseAddress } from "../../adapters/registry.ts";
import { makeId, manifestKey } from "../../steps/artifact.ts";
import { createKeyFile } from "../../steps/key.ts";
import type { BackupJob, Encryption } from "../../steps/job.ts";
import { type Content, readContent } from "../adapters/sqlite_content.ts";
import { liveAddress } from "../doubles/live_sqlite.ts";
import type { Description } from "./driver.ts";
import { checkArtifact } from "./invariants.ts";
import { drive, runWell } from "./processes.ts";
import { makeSource } from "./source_database.ts";

/** The folders of a case. */
export interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly store: string;
  readonly source: string;
  /** Stands in a folder of its own, so that what is left beside it is seen. */
  readonly target: string;
  /** Where each put is recorded. */
  readonly record: string;
}

/** What cases of one test begin with: made once. */
export interface Template extends AsyncDisposable {
  readonly folder: string;
  readonly source: string;
  readonly content: Content;
  readonly partBytes: number;
  readonly identity: string;
  readonly recipient: string;
  /** Makes an artifact in a store that cases share, since restores only read it. */
  artifact(kind: ArtifactKind): Promise<Artifact>;
}

/** How an artifact is made. */
export type ArtifactKind = "plain" | "encrypted" | "live";

/** Where an artifact is. */
export interface Artifact {
  readonly store: string;
  readonly manifest: string;
  readonly parts: number;
  /** SHA-256 of the plain dump. */
  readonly plainSha256: string;
}

/** How large the source of a template is. */
export interface Size {
  readonly rows: number;
  readonly partBytes: number;
  readonly mode?: "delete" | "wal";
}

/** Three parts. */
export const SMALL: Size = { rows: 1600, partBytes: 32_768 };
/** More than twenty parts. */
export const LARGE: Size = { rows: 11_000, partBytes: 20_480, mode: "wal" };

const KEEP = Deno.env.get("CAIRN_CRASH_KEEP") === "1";

/** Makes an empty place. */
export async function openPlace(): Promise<Place> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "cairn-crash-" }));
  await Deno.mkdir(join(folder, "target"));
  return {
    folder,
    home: join(folder, "home"),
    store: join(folder, "store"),
    source: join(folder, "app.db"),
    target: join(folder, "target", "restored.db"),
    record: join(folder, "puts"),
    [Symbol.asyncDispose]: () => removeFolder(folder),
  };
}

async function removeFolder(folder: string): Promise<void> {
  if (!KEEP) await Deno.remove(folder, { recursive: true });
}

/** Makes a template. */
export async function makeTemplate({ rows, partBytes, mode = "delete" }: Size): Promise<Template> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "cairn-crash-template-" }));
  const source = join(folder, "app.db");
  makeSource(source, rows, mode);
  const { file: identity, recipient } = await createKeyFile(join(folder, "key.txt"), new Date());
  const made = new Map<ArtifactKind, Promise<Artifact>>();
  const template: Template = {
    folder,
    source,
    content: readContent(source),
    partBytes,
    identity,
    recipient,
    artifact(kind) {
      const artifact = made.get(kind) ?? makeArtifact(template, kind);
      made.set(kind, artifact);
      return artifact;
    },
    [Symbol.asyncDispose]: () => removeFolder(folder),
  };
  return template;
}

/** The id of a new run. */
export function runId(workflow: string): string {
  return `${workflow}-${makeId(Date.now())}`;
}

/** The job of a backup of a place's source. */
export async function backupJob(place: Place, template: Template, kind: ArtifactKind): Promise<BackupJob> {
  const encryption: Encryption = kind === "encrypted"
    ? { mode: "recipients", recipients: [template.recipient] }
    : { mode: "none" };
  return {
    label: "app",
    labelOrigin: "derived",
    source: kind === "live" ? liveAddress(place.source) : await parseAddress(place.source),
    store: place.store,
    codec: "zstd",
    level: 3,
    encryption,
    selection: { tables: [], excludeTables: [] },
    partBytes: template.partBytes,
  };
}

async function makeArtifact(template: Template, kind: ArtifactKind): Promise<Artifact> {
  const folder = join(template.folder, kind);
  await Deno.mkdir(folder);
  const place = {
    folder,
    home: join(folder, "home"),
    store: join(folder, "store"),
    source: template.source,
    target: "",
    record: join(folder, "puts"),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const job = await backupJob(place, template, kind);
  const description: Description = { workflow: "backup", home: place.home, run: runId("backup"), job };
  await runWell(drive(description), folder);
  const { manifest, plainSha256 } = await checkArtifact(place, template, join(folder, "by-hand.db"));
  return {
    store: place.store,
    manifest: manifestKey(manifest.label, manifest.id),
    parts: manifest.parts.length,
    plainSha256,
  };
}

/** The address of a target, for the adapter of an artifact's kind. */
export async function targetAddress(place: Place, kind: ArtifactKind) {
  return kind === "live" ? liveAddress(place.target) : await parseAddress(place.target);
}
