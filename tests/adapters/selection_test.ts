import assert from "node:assert/strict";
import fc from "fast-check";
import { nearest } from "../../near.ts";
import { selectsAll, selectTables } from "../../adapters/selection.ts";
import { CairnError, type ErrorCode } from "../../errors.ts";

const ALL = ["account", "log", "note"];

function isError(code: ErrorCode, hint: RegExp) {
  return (error: unknown) =>
    error instanceof CairnError && error.code === code && hint.test(error.hint ?? "");
}

Deno.test("a selection keeps what is named and not excluded", () => {
  assert.deepEqual(selectTables({ tables: [], excludeTables: [] }, ALL, "x"), ALL);
  assert.deepEqual(selectTables({ tables: ["note", "log"], excludeTables: ["log"] }, ALL, "x"), ["note"]);
  assert.deepEqual(selectTables({ tables: [], excludeTables: ["log"] }, ALL, "x"), ["account", "note"]);
  assert.ok(selectsAll({ tables: [], excludeTables: [] }));
  assert.ok(!selectsAll({ tables: [], excludeTables: ["log"] }));
});

Deno.test("a selection that names a table that is not there tells a near name, or which there are", () => {
  const select = (name: string, all = ALL) => () =>
    selectTables({ tables: [name], excludeTables: [] }, all, "x");
  assert.throws(select("acount"), isError("not_found", /did you mean "account"/));
  assert.throws(select("zebra"), isError("not_found", /account, log, note/));
  assert.throws(select("zebra", []), isError("not_found", /no tables at all/));
  const many = Array.from({ length: 30 }, (_, index) => `table${index}`);
  assert.throws(select("zebra", many), isError("not_found", /and 20 more/));
});

Deno.test("a selection that leaves nothing is refused", () => {
  assert.throws(
    () => selectTables({ tables: [], excludeTables: ALL }, ALL, "x"),
    isError("refused", /fewer/),
  );
});

Deno.test("the nearest name is one that a slip of the finger away", () => {
  assert.equal(nearest("shpo", ["crm", "shop"]), "shop");
  assert.equal(nearest("orders", ["order", "orders_old"]), "order");
  assert.equal(nearest("Shop", ["shop"]), "shop");
  assert.equal(nearest("x", ["something"]), undefined);
});

Deno.test("a name that is there is the nearest to itself", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { selector: (name) => name.toLowerCase() }),
      (names) => {
        for (const name of names) assert.equal(nearest(name, names), name);
      },
    ),
  );
});
