import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import { CairnError, type ErrorCode } from "../../errors.ts";
import { findIn } from "../../steps/find_in.ts";
import { openTestPlace } from "./workplace.ts";

Deno.test("an artifact is found by id, beginning, latest, manifest and folder, and by nothing else", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const older = await place.backup(place.path("app.db"));
  const newer = await place.backup(place.path("app.db"));
  const find = async (reference: string) => (await findIn(place.environment, reference, [place.store])).id;
  const fails = (reference: string, code: ErrorCode) =>
    assert.rejects(find(reference), (error) => error instanceof CairnError && error.code === code, reference);

  assert.equal(await find(older.id), older.id);
  assert.equal(await find(newer.id.slice(0, -1)), newer.id);
  assert.equal(await find("latest"), newer.id);
  assert.equal(await find("latest:app"), newer.id);
  assert.equal(await find(`${place.store}/${older.manifest}`), older.id);
  assert.equal(await find(`${place.store}/app/${older.id}.full.sqlite/`), older.id);
  await fails("20", "usage");
  await fails("1999", "not_found");
  await fails("latest:nobody", "not_found");
  await fails("", "not_found");
  await fails("../app", "not_found");
  await fails(`${place.store}/app`, "not_found");

  const other = await place.backup(place.path("app.db"), { label: "other" });
  await fails("latest", "usage");
  assert.equal(await find("latest:other"), other.id);
});
