/** The program itself, as a person would start it: killed at random, resumed by the id that it said or that it lists. */
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { hashFile } from "../../streams/durable.ts";
import { chance, SEED } from "./chance.ts";
import { checkArtifact, checkContent, checkNothingLeft, checkOnlyTarget } from "./invariants.ts";
import { each } from "./many.ts";
import { makeTemplate, openPlace, type Place, SMALL, type Template } from "./place.ts";
import { type Command, describe, type Ended, type Line, run, start } from "./processes.ts";
import { crashTest, tell, thorough } from "./settings.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const BINARY = binary(Deno.env.get("CAIRN_BINARY"));
const KILLS = thorough(60, 6);

crashTest(
  `cairn backup and restore: killed ${KILLS} times at random, they go on by cairn resume`,
  async () => {
    tell(`the command line under test: ${BINARY ?? "deno run main.ts"}`);
    await using template = await makeTemplate(SMALL);
    let kills = 0;
    function* rounds() {
      for (let round = 0; kills < KILLS; round++) yield round;
    }
    const milliseconds = await measure(template);
    await each(rounds(), (round) => `cairn, seed ${SEED}, round ${round}`, async (round) => {
      await using place = await openPlace();
      const random = chance(SEED, round);
      await Deno.copyFile(template.source, place.source);
      const backup = cairn(place, template, ...backupArguments(place, template));
      const backedUp = await killed(place, template, backup, random() * milliseconds);
      await checkNothingLeft(place);
      const dump = join(place.folder, "by-hand.db");
      const { manifest, plainSha256 } = await checkArtifact(place, template, dump);
      checkContent(dump, template.content);

      const keys = ["--identity", template.identity, "--from", place.store];
      const restore = cairn(
        place,
        template,
        "restore",
        manifest.id,
        "--into",
        place.target,
        ...keys,
        "--json",
      );
      const restored = await killed(place, template, restore, random() * milliseconds);
      await checkNothingLeft(place);
      await checkOnlyTarget(place);
      assert.equal((await hashFile(place.target)).sha256, plainSha256);
      const verify = cairn(place, template, "verify", manifest.id, "--read-data", ...keys, "--json");
      assert.equal((await run(verify, place.folder)).code, 0);
      const killedNow = Number(backedUp) + Number(restored);
      kills += killedNow;
    });
    tell(`cairn: ${kills} kills`);
  },
);

function backupArguments(place: Place, template: Template): string[] {
  return ["backup", place.source, "--to", place.store, "--encrypt-to", template.recipient, "--json"];
}

async function measure(template: Template): Promise<number> {
  await using place = await openPlace();
  await Deno.copyFile(template.source, place.source);
  const begun = performance.now();
  const ended = await run(cairn(place, template, ...backupArguments(place, template)), place.folder);
  assert.equal(ended.code, 0, describe(ended));
  return performance.now() - begun;
}

/** Kills a command after some time and brings what it began to its end; false when it was faster. */
async function killed(
  place: Place,
  template: Template,
  command: Command,
  milliseconds: number,
): Promise<boolean> {
  await using running = start(command, place.folder);
  const timer = setTimeout(() => running.signal("SIGKILL"), milliseconds);
  const ended = await running.ended;
  clearTimeout(timer);
  if (ended.signal !== "SIGKILL") {
    checkDone(ended);
    return false;
  }
  const unfinished = await unfinishedRun(place, template, ended.lines);
  checkDone(
    await run(
      unfinished === undefined ? command : cairn(place, template, "resume", unfinished, "--json"),
      place.folder,
    ),
  );
  return true;
}

/** The run that was announced or, when the command was killed before, the one that is listed; undefined when there is none. */
async function unfinishedRun(
  place: Place,
  template: Template,
  lines: readonly Line[],
): Promise<string | undefined> {
  const announced = lines.find((line) => line.status === "running")?.run;
  const listed = await run(cairn(place, template, "runs", "--json"), place.folder);
  assert.equal(listed.code, 0, describe(listed));
  const runs = listed.lines.at(-1)?.runs ?? [];
  const newest = runs.find((each) => each.status !== "done" || each.id === announced);
  if (announced !== undefined) assert.equal(newest?.id, announced, "what was announced is not listed");
  return newest?.id;
}

function checkDone(ended: Ended): void {
  const last = ended.lines.at(-1);
  assert.equal(ended.code, 0, describe(ended));
  assert.equal(last?.status, "done", describe(ended));
}

function cairn(place: Place, template: Template, ...words: string[]): Command {
  const env = { CAIRN_HOME: place.home, CAIRN_PART_BYTES: String(template.partBytes) };
  if (BINARY !== undefined) return { program: BINARY, args: words, env };
  const deno = ["run", "-A", "--quiet", "--no-check", "--unstable-cron", MAIN];
  return { program: Deno.execPath(), args: [...deno, ...words], env };
}

/** The path of the compiled program, when it is the one to be tested. */
function binary(path: string | undefined): string | undefined {
  return path === undefined || path === "" ? undefined : resolve(path);
}
