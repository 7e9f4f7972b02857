import { createSqliteAdapter } from "../../adapters/sqlite/mod.ts";
import { adapterConformance } from "../conformance/adapter.ts";
import { openSqliteHarness } from "./sqlite_harness.ts";

for (const journalMode of ["wal", "delete"] as const) {
  adapterConformance(
    `sqlite (${journalMode})`,
    () => openSqliteHarness({ adapter: createSqliteAdapter(), journalMode }),
  );
}
