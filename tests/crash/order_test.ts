/**
 * A kill does not lose what the kernel has not written yet, so the order that a power loss needs is read from a log of the
 * system calls: part on the disk < its facts in the journal < its name < the name on the disk < that in the journal < the
 * file is removed.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { makeTemplate, openPlace, type Place, SMALL } from "./place.ts";
import { drive, runWell } from "./processes.ts";
import { scenarios } from "./scenarios.ts";
import { type Call, readCalls, traced } from "./strace.ts";
import { crashTest } from "./settings.ts";

const CALLS = ["fsync", "fdatasync", "link", "linkat", "rename", "unlink", "unlinkat", "pwrite64", "pwritev"];

crashTest("what is needed after a power loss is on the disk before it is relied on", async () => {
  await using template = await makeTemplate(SMALL);
  await using place = await openPlace();
  const description = await scenarios.encryptedBackup.lay(place, template);
  const log = join(place.folder, "strace.log");
  const command = traced(drive(description), { calls: CALLS, log, stringBytes: 70_000 });
  await runWell(command, place.folder);
  const calls = await readCalls(log);

  const parts = calls.filter(({ name, text }) => name === "linkat" && text.includes(".zst.age"));
  assert.equal(parts.length, 3);
  for (const link of parts) checkPart(calls, place, link);
  checkManifest(calls, place);
}, ["strace"]);

function checkPart(calls: readonly Call[], place: Place, link: Call): void {
  const [from = "", to = ""] = namesIn(link);
  const number = Number(from.slice(-"000001.zst.age".length, -".zst.age".length));
  let last = inOrder(
    calls.find((call) => syncs(call, from)),
    `the fsync of part ${number}`,
  );
  const then = (what: string, wanted: (call: Call) => boolean) => {
    last = inOrder(calls.find((call) => call.begun > last.returned && wanted(call)), what, last);
  };
  then("the fsync of its folder", (call) => syncs(call, dirname(from)));
  then("its seal in the journal", (call) => journals(call, place, `seal/1/${number}done`));
  then("the fsync of the journal", (call) => syncs(call, journal(place)));
  then("its name", (call) => call === link);
  then("the fsync of the name's folder", (call) => syncs(call, dirname(to)));
  then("its upload in the journal", (call) => journals(call, place, `upload/1/${number}done`));
  then("the fsync of the journal", (call) => syncs(call, journal(place)));
  then("the removal of the file", (call) => removes(call, from));
  for (const step of [`seal/1/${number}done`, `upload/1/${number}done`]) {
    const first = calls.find((call) => journals(call, place, step));
    assert.ok(first !== undefined);
    // Nothing earlier says so: neither is claimed before it is true.
    const truth = step.startsWith("seal") ? calls.find((call) => syncs(call, from)) : link;
    assert.ok(truth !== undefined && first.begun > truth.returned, `${step} is journaled too early`);
  }
  assert.equal(calls.filter((call) => removes(call, from)).length, 1, "it is removed once");
}

/** The manifest's bytes are journaled before their name, which comes after all parts; the marker goes last. */
function checkManifest(calls: readonly Call[], place: Place): void {
  const link = calls.find(({ name, text }) => name === "linkat" && text.includes(".manifest.json"));
  assert.ok(link !== undefined, "the manifest has no name");
  const [from = "", to = ""] = namesIn(link);
  const bytes = calls.find((call) => journals(call, place, "manifest/1done"));
  assert.ok(bytes !== undefined, "its bytes are not journaled");
  const synced = calls.find((call) => call.begun > bytes.returned && syncs(call, journal(place)));
  assert.ok(
    synced !== undefined && synced.returned < link.begun,
    "its bytes are not on the disk before its name",
  );
  const content = calls.find((call) => syncs(call, from));
  assert.ok(
    content !== undefined && content.returned < link.begun,
    "its file is not on the disk before its name",
  );
  for (const part of calls.filter(({ name, text }) => name === "linkat" && text.includes(".zst.age"))) {
    const folder = dirname(namesIn(part)[1] ?? "");
    const named = calls.find((call) => call.begun > part.returned && syncs(call, folder));
    assert.ok(
      named !== undefined && named.returned < link.begun,
      "a part is not on the disk before the manifest",
    );
  }
  const published = calls.find((call) => call.begun > link.returned && syncs(call, dirname(to)));
  const marker = calls.find((call) => removes(call, to.replace(".manifest.json", ".open")));
  assert.ok(published !== undefined && marker !== undefined, "the marker stays");
  assert.ok(published.returned < marker.begun, "the marker goes before the manifest is on the disk");
}

function inOrder(call: Call | undefined, what: string, after?: Call): Call {
  assert.ok(
    call !== undefined,
    `${what} does not follow ${after === undefined ? "" : after.name + after.text.slice(0, 200)}`,
  );
  return call;
}

const journal = (place: Place) => `${place.home}/control.db-wal`;

function syncs({ name, text }: Call, path: string): boolean {
  return (name === "fsync" || name === "fdatasync") && text.includes(`<${path}>`);
}

function journals({ name, text }: Call, place: Place, words: string): boolean {
  return name.startsWith("pwrite") && text.includes(`<${journal(place)}>`) && text.includes(words);
}

function removes({ name, text }: Call, path: string): boolean {
  return (name === "unlink" || name === "unlinkat") && text.includes(`"${path}"`);
}

/** The names in a call, as they were given. */
function namesIn({ text }: Call): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
}
