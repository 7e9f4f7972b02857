import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import { openTestPlace } from "./workplace.ts";

Deno.test("a backup restores byte for byte, and leaves nothing else behind", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 2000);
  const artifact = await place.backup(place.path("app.db"));
  assert.ok(artifact.parts > 2, `only ${artifact.parts} parts`);
  console.log(artifact);
  await place.verify(artifact);
  await place.restore(artifact, place.path("restored.db"));
  for await (const e of Deno.readDir(place.store)) console.log(e.name);
  for await (const e of Deno.readDir(place.home)) console.log(e.name);
});
