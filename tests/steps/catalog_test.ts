import assert from "node:assert/strict";
import { makeSample } from "../../adapters/sqlite/sample.ts";
import { openCatalog } from "../../steps/catalog.ts";
import { refreshCatalog } from "../../steps/refresh_catalog.ts";
import type { Store } from "../../storage/storage.ts";
import { openTestPlace } from "./workplace.ts";

Deno.test("the catalog can be deleted or damaged: a refresh brings back what the store holds", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const first = await place.backup(place.path("app.db"));
  const second = await place.backup(place.path("app.db"), { label: "other" });
  const ids = () => {
    const catalog = openCatalog(place.home);
    try {
      return catalog.list().map((entry) => entry.id);
    } finally {
      catalog.close();
    }
  };
  const refresh = async () =>
    await refreshCatalog(place.home, await place.environment.openStore(place.store));
  assert.deepEqual(ids(), [second.id, first.id]);

  for (const file of ["catalog.db", "catalog.db-wal", "catalog.db-shm"]) {
    await Deno.remove(`${place.home}/${file}`).catch(() => {});
  }
  assert.deepEqual(ids(), []);
  assert.deepEqual(await refresh(), { added: 2, removed: 0, damaged: [] });
  assert.deepEqual(ids(), [second.id, first.id]);
  assert.deepEqual(await refresh(), { added: 0, removed: 0, damaged: [] });

  await Deno.writeTextFile(
    `${place.home}/catalog.db`,
    "this is no database, and it is long enough to be looked at",
  );
  assert.deepEqual(ids(), []);

  await refresh();
  await Deno.remove(`${place.store}/${first.manifest}`);
  await Deno.writeTextFile(
    `${place.store}/${second.manifest.replace(/\w{6}\.manifest/, "zzzzzz.manifest")}`,
    "{}",
  );
  const { removed, damaged } = await refresh();
  assert.equal(removed, 1);
  assert.equal(damaged.length, 1);
  assert.deepEqual(ids(), [second.id]);
});

Deno.test("a local folder that was not touched is not listed again; any change of it is seen", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const first = await place.backup(place.path("app.db"));
  const store = await place.environment.openStore(place.store);
  let listed = 0;
  const counting: Store = {
    ...store,
    list(folder, options) {
      if (folder === "app") listed++;
      return store.list(folder, options);
    },
  };
  const later = () => Date.now() + 10_000;
  const refresh = async (now: () => number) => await refreshCatalog(place.home, counting, { now });
  const listings = async (now: () => number) => {
    const before = listed;
    const refreshed = await refresh(now);
    return { listings: listed - before, ...refreshed, damaged: refreshed.damaged.length };
  };
  const nothing = { added: 0, removed: 0, damaged: 0 };

  assert.deepEqual(
    await listings(Date.now),
    { listings: 1, ...nothing },
    "changed a moment ago: not trusted",
  );
  assert.deepEqual(await listings(later), { listings: 1, ...nothing });
  assert.deepEqual(await listings(later), { listings: 0, ...nothing });

  const copy = first.manifest.replace(/\w{6}\.manifest/, "zzzzzz.manifest");
  await Deno.writeTextFile(`${place.store}/${copy}`, "{}");
  assert.deepEqual(await listings(later), { listings: 1, ...nothing, damaged: 1 });
  assert.deepEqual(
    await listings(later),
    { listings: 1, ...nothing, damaged: 1 },
    "damage is told every time",
  );
  await Deno.remove(`${place.store}/${copy}`);
  await Deno.remove(`${place.store}/${first.manifest}`);
  assert.deepEqual(await listings(later), { listings: 1, ...nothing, removed: 1 });
  assert.deepEqual(await listings(later), { listings: 0, ...nothing });

  const before = listed;
  await refreshCatalog(place.home, counting, { anew: true, now: later });
  assert.equal(listed, before + 1, "a rebuild trusts nothing");
});

Deno.test("a list is newest first, and can be limited to a label, a store and a number", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  const first = await place.backup(place.path("app.db"));
  const second = await place.backup(place.path("app.db"), { label: "other", store: place.path("elsewhere") });
  const catalog = openCatalog(place.home);
  try {
    assert.deepEqual(catalog.list({ limit: 1 }).map((entry) => entry.id), [second.id]);
    assert.deepEqual(catalog.list({ label: "app" }).map((entry) => entry.id), [first.id]);
    assert.deepEqual(catalog.list({ store: place.path("elsewhere") }).map((entry) => entry.id), [second.id]);
    assert.deepEqual(catalog.stores(), [place.path("elsewhere"), place.store]);
  } finally {
    catalog.close();
  }
});

Deno.test("a store that is suddenly empty is not taken for emptied: its disk may not be mounted", async () => {
  await using place = await openTestPlace();
  makeSample(place.path("app.db"), 10);
  await place.backup(place.path("app.db"));
  await Deno.rename(place.store, place.path("unmounted"));
  const store = await place.environment.openStore(place.store);
  await assert.rejects(refreshCatalog(place.home, store), /is empty, and held backups of one database/);
  const catalog = openCatalog(place.home);
  assert.equal(catalog.list().length, 1);
  catalog.close();
  assert.equal((await refreshCatalog(place.home, store, { anew: true })).added, 0);
});
