/**
 * SIGKILL at random moments, several times a run: the one process, not its children. The sources are being written to
 * meanwhile, and have more than twenty parts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashFile } from "../../streams/durable.ts";
import { chance, SEED } from "./chance.ts";
import type { Description } from "./driver.ts";
import { checkArtifact, checkContent, checkNothingLeft, checkOnlyTarget } from "./invariants.ts";
import { each } from "./many.ts";
import {
  type ArtifactKind,
  LARGE,
  makeTemplate,
  openPlace,
  type Place,
  runId,
  targetAddress,
  type Template,
} from "./place.ts";
import { describe, drive, runWell, start } from "./processes.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { crashTest, FULL, tell, thorough } from "./settings.ts";
import { checkOneMoment } from "./source_database.ts";

const MOST_KILLS_A_RUN = 5;
const WRITER = fileURLToPath(new URL("../adapters/sqlite_writer.ts", import.meta.url));

/** A backup while another process writes to its source; in the end it is restored. */
function busyBackup(name: string, kind: ArtifactKind): Scenario {
  const quiet = kind === "encrypted" ? scenarios.encryptedBackup : scenarios.backup;
  return {
    name,
    lay: quiet.lay,
    async check(place, template) {
      await checkNothingLeft(place);
      const dump = join(place.folder, "by-hand.db");
      const { manifest, plainSha256 } = await checkArtifact(place, template, dump);
      assert.ok(manifest.parts.length > 20, `only ${manifest.parts.length} parts`);
      checkOneMoment(dump);
      checkContent(dump, template.content, { except: "account" });

      const restore: Description = {
        workflow: "restore",
        home: place.home,
        run: runId("restore"),
        job: {
          store: place.store,
          manifest: `app/${manifest.id}.manifest.json`,
          target: await targetAddress(place, kind),
          overwrite: false,
          selection: { tables: [], excludeTables: [] },
          identities: [template.identity],
          passphrase: null,
        },
      };
      await runWell(drive(restore), place.folder);
      await checkOnlyTarget(place);
      assert.equal((await hashFile(place.target)).sha256, plainSha256);
    },
  };
}

const workflows: readonly { readonly scenario: Scenario; readonly busy: boolean; readonly kills: number }[] =
  [
    { scenario: busyBackup("backup of a busy source", "plain"), busy: true, kills: thorough(200, 20) },
    {
      scenario: busyBackup("encrypted backup of a busy source", "encrypted"),
      busy: true,
      kills: thorough(200, 20),
    },
    { scenario: scenarios.encryptedRestore, busy: false, kills: thorough(100, 20) },
    { scenario: scenarios.restoreOver, busy: false, kills: thorough(100, 20) },
    { scenario: scenarios.verify, busy: false, kills: thorough(50, 20) },
    ...(FULL
      ? [
        { scenario: scenarios.liveBackup, busy: false, kills: 100 },
        { scenario: scenarios.liveRestore, busy: false, kills: 100 },
        { scenario: scenarios.restoreOverWal, busy: false, kills: 100 },
      ]
      : []),
  ];

for (const { scenario, busy, kills: wanted } of workflows) {
  crashTest(`${scenario.name}: killed ${wanted} times at random, it goes on`, async () => {
    await using template = await makeTemplate(LARGE);
    const milliseconds = await measure(scenario, template);
    let kills = 0;
    function* rounds() {
      for (let round = 0; kills < wanted; round++) yield round;
    }
    await each(rounds(), (round) => `${scenario.name}, seed ${SEED}, round ${round}`, async (round) => {
      await using place = await openPlace();
      const description = await scenario.lay(place, template);
      await using _writer = await startWriter(busy ? place : undefined);
      const killed = await killAtRandom(place, description, milliseconds, chance(SEED, round));
      kills += killed; // after the wait: two rounds count
      await scenario.check(place, template);
    });
    tell(`${scenario.name}: ${kills} kills`);
  });
}

/** How long an undisturbed run takes. */
async function measure(scenario: Scenario, template: Template): Promise<number> {
  await using place = await openPlace();
  const description = await scenario.lay(place, template);
  const begun = performance.now();
  await runWell(drive(description), place.folder);
  return performance.now() - begun;
}

/** Starts the work, kills it after a random time, and starts it again, a random number of times; then lets it end. */
async function killAtRandom(
  place: Place,
  description: Description,
  milliseconds: number,
  random: () => number,
): Promise<number> {
  const most = 1 + Math.floor(random() * MOST_KILLS_A_RUN);
  let kills = 0;
  for (let attempt = 0; attempt < most; attempt++) {
    await using running = start(drive(description), place.folder);
    const timer = setTimeout(() => running.signal("SIGKILL"), random() * milliseconds);
    const ended = await running.ended;
    clearTimeout(timer);
    if (ended.signal === "SIGKILL") kills++;
    else assert.equal(ended.code, 0, `it failed: ${describe(ended)}`);
  }
  await runWell(drive(description), place.folder);
  return kills;
}

/** Moves money between the accounts of a source until it is disposed of. */
async function startWriter(place: Place | undefined): Promise<AsyncDisposable> {
  if (place === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", WRITER, place.source, "transfer"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read(); // it says so when it has begun
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      while (!(await output.read()).done);
      const { success } = await child.status;
      assert.ok(success, "the writer failed");
    },
  };
}
