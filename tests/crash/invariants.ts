/** What must hold when a run has ended, however often it was killed. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { parseIdentities } from "../../streams/age.ts";
import { hashFile } from "../../streams/durable.ts";
import { manifestKey } from "../../steps/artifact.ts";
import { type Manifest, openPrivate, parseManifest } from "../../steps/manifest.ts";
import { type Content, readContent, SETTINGS } from "../adapters/sqlite_content.ts";
import { namesWithTwoContents, readPuts } from "../doubles/store_faulty.ts";
import type { Place, Template } from "./place.ts";
import { waitForSilence } from "./processes.ts";

/** Files that the state folder keeps. `-wal` and `-shm` go with the last connection that closes in order. */
const KEPT_AT_HOME = /^(control\.db|catalog\.db|origin|logs|logs\/.*|locks|spool)$/;

/** Every file and folder below a folder that is ours, as relative paths; nobody but the owner may read any of them. */
export async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of await pathsIn(folder)) {
    const { mode } = await Deno.lstat(join(folder, path));
    assert.equal((mode ?? 0) & 0o077, 0, `${path} can be read by others`);
    found.push(path);
  }
  return found;
}

/** Every file and folder below a folder, as relative paths; none when it is not there. */
export async function pathsIn(folder: string, within = ""): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, within))) {
      const path = within === "" ? name : `${within}/${name}`;
      found.push(path);
      if (isDirectory) found.push(...await pathsIn(folder, path));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

/** Nothing but what belongs there is in the state folder, and no process works in the place any more. */
export async function checkNothingLeft(place: Place): Promise<void> {
  await waitForSilence(place.folder);
  const left = (await filesIn(place.home)).filter((path) => !KEPT_AT_HOME.test(path));
  assert.deepEqual(left, [], "files are left in the state folder");
}

/** The store holds nothing. */
export async function checkStoreEmpty(place: Place): Promise<void> {
  assert.deepEqual(await filesIn(place.store), [], "objects are left in the store");
}

/**
 * The store holds one whole artifact and nothing else; no name was ever put with two contents. Returns the manifest and the
 * SHA-256 of its plain dump, which its own restore command gave, and leaves that dump in the file `dump`.
 */
export async function checkArtifact(
  place: Place,
  template: Template,
  dump: string,
): Promise<{ readonly manifest: Manifest; readonly plainSha256: string }> {
  const files = await filesIn(place.store);
  const manifests = files.filter((path) => path.endsWith(".manifest.json"));
  assert.equal(manifests.length, 1, `there is not one manifest: ${files.join(" ")}`);
  const key = manifests[0] ?? "";
  const text = await Deno.readTextFile(join(place.store, key));
  const manifest = parseManifest(text, key);
  assert.equal(key, manifestKey("app", manifest.id));
  const folder = `app/${manifest.id}.full.${manifest.format}`;
  const objects = ["SHA256SUMS", ...manifest.parts.map((part) => part.name)].map((name) =>
    `${folder}/${name}`
  );
  assert.deepEqual(files, ["app", key, folder, ...objects].sort(), "the store holds something else");
  await checkPuts(place, key);

  const identities = parseIdentities(await Deno.readTextFile(template.identity));
  const { plainSha256 } = await openPrivate(manifest, identities);
  await restoreByHand(manifest, join(place.store, "app"), template.identity, dump);
  if (manifest.format !== "sql") {
    assert.equal((await hashFile(dump)).sha256, plainSha256, "the parts are not the dump that was made");
  }
  return { manifest, plainSha256 };
}

async function checkPuts(place: Place, manifest: string): Promise<void> {
  const puts = await readPuts(place.record).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (puts === undefined) return;
  assert.deepEqual(namesWithTwoContents(puts), [], "names were put with two contents");
  const recorded = new Set(puts.map((put) => put.key).filter((each) => each.endsWith(".manifest.json")));
  assert.deepEqual([...recorded], [manifest], "another manifest was put");
  assert.ok(puts.every((put) => put.mode === "create"), "something was replaced");
}

/** The restore command of the manifest as it stands, with stock tools. */
async function restoreByHand(manifest: Manifest, cwd: string, key: string, out: string): Promise<void> {
  await Deno.remove(out).catch(() => {});
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", manifest.restore],
    cwd,
    env: { OUT: out, KEY: key },
    stderr: "piped",
    stdout: "null",
  }).output();
  assert.ok(success, `${manifest.restore}\n${new TextDecoder().decode(stderr)}`);
}

/** A database holds what the template's source does, perhaps but for the rows of a table that changes. */
export function checkContent(
  path: string,
  content: Content,
  { settings = SETTINGS, except }: { readonly settings?: readonly string[]; readonly except?: string } = {},
): void {
  const found = readContent(path, settings);
  for (const table of new Set([...Object.keys(found.rows), ...Object.keys(content.rows)])) {
    if (table !== except) {
      assert.deepEqual(found.rows[table], content.rows[table], `${path}: ${table} has other rows`);
    }
  }
  assert.deepEqual(found.schema, content.schema, `${path} has another schema`);
  for (const name of settings) {
    assert.equal(found.settings[name], content.settings[name], `${path} has another ${name}`);
  }
}

/** Only the target is in its folder, with the files that its mode brings along. */
export async function checkOnlyTarget(place: Place): Promise<void> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(place.target, ".."))) names.push(name);
  assert.deepEqual(names.sort(), [basename(place.target)], "files are left beside the target");
}
