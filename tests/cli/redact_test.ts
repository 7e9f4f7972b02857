import assert from "node:assert/strict";
import { redact, registerSecret } from "../../cli/redact.ts";
import { assertEqualTable } from "./table_of_cases.ts";

Deno.test("what looks like a credential is masked", () => {
  assertEqualTable(redact, [
    ["postgres://backup:hunter2@db1/shop", "postgres://backup:***@db1/shop"],
    ["postgres://backup@db1/shop", "postgres://backup@db1/shop"],
    ["mongodb+srv://u:p%40ss@h/db?x=1 and mysql://r:s@h", "mongodb+srv://u:***@h/db?x=1 and mysql://r:***@h"],
    ["redis://:only@h", "redis://:***@h"],
    ["mysql://u:p@ss@h/db", "mysql://u:***@h/db"],
    ["postgres://h/db?user=a&password=b&x=1", "postgres://h/db?user=a&password=***&x=1"],
    ["host=h password='a b' user=u", "host=h password=*** user=u"],
    ["key AGE-SECRET-KEY-1QQPQYZ.", "key ***."],
    ["AGE-SECRET-KEY-PQ-1ABC", "***"],
    ["age1qyqszqgp is public", "age1qyqszqgp is public"],
    [
      "https://b.blob.core.windows.net/c?sv=1&sig=abc%2Fd&se=2",
      "https://b.blob.core.windows.net/c?sv=1&sig=***&se=2",
    ],
    ["Authorization: Bearer abc.def", "Authorization: Bearer ***"],
    ["https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/***"],
    ["s3://acme-backups/shop at 12:30 to a@b.c", "s3://acme-backups/shop at 12:30 to a@b.c"],
    ['{"url":"postgres://u:p@h/db","a":"b@c"}', '{"url":"postgres://u:***@h/db","a":"b@c"}'],
    ["http://localhost:8080/path/a@b", "http://localhost:8080/path/a@b"],
  ]);
});

Deno.test("a registered secret is masked wherever it is, also as a part of a URL", () => {
  registerSecret("correct horse/battery\n");
  assert.equal(redact("got correct horse/battery."), "got ***.");
  assert.equal(redact("x?p=correct%20horse%2Fbattery"), "x?p=***");
});

Deno.test("a value too short to be a secret does not blank out innocent words", () => {
  registerSecret("shop");
  assert.equal(redact("backup of shop"), "backup of shop");
});
