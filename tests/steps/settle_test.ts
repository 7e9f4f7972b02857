import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import { CairnError } from "../../errors.ts";
import { backupLocks } from "../../steps/locks.ts";
import { settleBackups, type Settled } from "../../steps/settle.ts";
import { filesUnder } from "./files.ts";
import { openTestPlace, type TestPlace } from "./workplace.ts";

/** A place whose store refuses every put of a name that matches, as long as it is asked to. */
async function openFailingPlace(name: RegExp) {
  const state = { failing: true };
  const base = await openTestPlace();
  await using _ = base;
  const place = await openTestPlace({
    async openStore(url) {
      const store = await base.environment.openStore(url);
      return {
        ...store,
        put(key, ...rest) {
          const refused = new CairnError("no_space", "the disk is full", { passing: false });
          return state.failing && name.test(key) ? Promise.reject(refused) : store.put(key, ...rest);
        },
      };
    },
  });
  makeSample(place.path("app.db"), 2000);
  await assert.rejects(place.backup(place.path("app.db")), /disk is full/);
  return { place, state };
}

async function settle(place: TestPlace): Promise<Settled[]> {
  const settled: Settled[] = [];
  const job = await place.backupJob(place.path("app.db"));
  await settleBackups(place.engine, backupLocks(job), (each) => void settled.push(each));
  return settled;
}

Deno.test("an unfinished backup whose dump is complete is finished first", async () => {
  const { place, state } = await openFailingPlace(/manifest/);
  await using _ = place;
  state.failing = false;
  const [settled] = await settle(place);
  assert.equal(settled?.outcome, "finished");
  assert.equal((await filesUnder(place.store)).filter((name) => name.endsWith("manifest.json")).length, 1);
  assert.deepEqual(await settle(place), []);
});

Deno.test("one whose dump is not complete is abandoned, and the store holds nothing of it", async () => {
  const { place } = await openFailingPlace(/000002/);
  await using _ = place;
  const [settled] = await settle(place);
  assert.equal(settled?.outcome, "abandoned");
  assert.deepEqual((await filesUnder(place.store)).filter((name) => /\d{8}T/.test(name)), []);
});

Deno.test("one that cannot be settled is told and left, and does not stand in the way", async () => {
  const { place, state } = await openFailingPlace(/manifest/);
  await using _ = place;
  const [settled] = await settle(place);
  assert.equal(settled?.outcome, "left");
  assert.match(settled?.outcome === "left" ? settled.error.message : "", /disk is full/);
  state.failing = false;
  assert.equal((await settle(place))[0]?.outcome, "finished");
});
