import { assertEqualTable } from "./table_of_cases.ts";
import {
  formatAge,
  formatAgo,
  formatBytes,
  formatCount,
  formatDate,
  formatDay,
  formatDuration,
  formatPercent,
  formatRate,
} from "../../cli/format.ts";
import fc from "fast-check";
import assert from "node:assert/strict";

Deno.test("sizes are said in powers of ten, with one decimal below 100", () => {
  assertEqualTable(formatBytes, [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1049, "1 kB"],
    [1050, "1.1 kB"],
    [31_000_000, "31 MB"],
    [31_190_000, "31.2 MB"],
    [99_940_000, "99.9 MB"],
    [99_960_000, "100 MB"],
    [136_314_880, "136 MB"],
    [999_499_999, "999 MB"],
    [999_500_000, "1 GB"],
    [6_912_000_000, "6.9 GB"],
    [41_200_000_000, "41.2 GB"],
    [2 ** 53, "9 PB"],
    [5e21, "5000 EB"],
  ]);
});

Deno.test("a size never has more than four digits below an exabyte", () => {
  fc.assert(fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
    assert.match(formatBytes(bytes), /^\d{1,3}(\.[1-9])? [kMGTP]?B$/);
  }));
});

Deno.test("durations are said in the units that matter", () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  assertEqualTable(formatDuration, [
    [-5, "0 ms"],
    [0, "0 ms"],
    [45, "45 ms"],
    [99, "99 ms"],
    [100, "0.1 s"],
    [400, "0.4 s"],
    [1000, "1 s"],
    [1100, "1.1 s"],
    [9940, "9.9 s"],
    [9960, "10 s"],
    [12 * second, "12 s"],
    [59_400, "59 s"],
    [59_600, "1 min"],
    [4 * minute, "4 min"],
    [59.4 * minute, "59 min"],
    [59.9 * minute, "1 h"],
    [2 * hour + 5 * minute, "2 h 5 min"],
    [2 * hour + 59.9 * minute, "3 h"],
    [12 * hour + 40 * minute, "12 h"],
    [34 * hour, "34 h"],
    [3 * day + 20 * hour, "3 d"],
    [400 * day, "400 d"],
  ]);
});

Deno.test("ages are said in one unit, never older than they are", () => {
  assertEqualTable(formatAge, [
    [-1, "0 s"],
    [12_999, "12 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [7.9 * 3_600_000, "7 h"],
    [47.9 * 3_600_000, "47 h"],
    [48 * 3_600_000, "2 d"],
  ]);
  const now = new Date("2026-11-23T09:00:00Z");
  assertEqualTable((text: string) => formatAgo(new Date(text), now), [
    ["2026-11-23T08:59:59.500Z", "just now"],
    ["2026-11-23T02:00:00Z", "7 h ago"],
    ["2026-11-20T08:00:00Z", "3 d ago"],
    ["2026-11-23T09:04:30Z", "in 4 min"],
  ]);
});

Deno.test("dates are said as people say them, in the zone of the reader", () => {
  const style = { now: new Date("2026-11-23T09:12:00Z"), timeZone: "Europe/Berlin" };
  assertEqualTable((text: string) => formatDate(new Date(text), style), [
    ["2026-11-23T01:00:00Z", "today 02:00"],
    ["2026-11-22T23:00:00Z", "today 00:00"],
    ["2026-11-22T22:59:59Z", "yesterday 23:59"],
    ["2026-11-22T01:00:00Z", "yesterday 02:00"],
    ["2026-11-24T01:00:00Z", "tomorrow 02:00"],
    ["2026-11-16T01:00:00Z", "16 Nov 02:00"],
    ["2026-01-05T01:00:00Z", "5 Jan 02:00"],
    ["2025-12-31T23:30:00Z", "1 Jan 00:30"],
    ["2025-12-31T22:30:00Z", "31 Dec 2025 23:30"],
    ["2025-11-16T01:00:00Z", "16 Nov 2025 02:00"],
  ]);
  assert.equal(formatDay(new Date("2026-11-22T01:00:00Z"), style), "yesterday");
  assert.equal(formatDay(new Date("2024-02-29T01:00:00Z"), style), "29 Feb 2024");
});

Deno.test("without a named zone, dates are those of the system's", () => {
  const style = { now: new Date(2026, 10, 23, 9, 12) };
  assert.equal(formatDate(new Date(2026, 10, 23, 2, 5), style), "today 02:05");
  assert.equal(formatDate(new Date(2026, 10, 22, 23, 59), style), "yesterday 23:59");
  assert.equal(formatDate(new Date(2025, 0, 1, 0, 0), style), "1 Jan 2025 00:00");
});

Deno.test("yesterday is the day before, also when the clocks were changed in between", () => {
  const style = { now: new Date("2026-10-26T00:30:00+01:00"), timeZone: "Europe/Berlin" };
  assert.equal(formatDate(new Date("2026-10-25T00:10:00+02:00"), style), "yesterday 00:10");
});

Deno.test("with utc a date is exact", () => {
  const style = { now: new Date("2026-11-23T09:12:00Z"), utc: true, timeZone: "Asia/Tokyo" };
  assert.equal(formatDate(new Date("2026-11-23T02:00:00.013Z"), style), "2026-11-23T02:00:00.013Z");
  assert.equal(formatDay(new Date("2026-11-22T23:00:00Z"), style), "2026-11-22");
});

Deno.test("rates, shares and counts", () => {
  assert.equal(formatRate(118_000_000), "118 MB/s");
  assert.equal(formatPercent(31_200_000, 136_000_000), "23 %");
  assert.equal(formatPercent(1, 0), "0 %");
  assert.equal(formatCount(1, "part"), "1 part");
  assert.equal(formatCount(2, "part"), "2 parts");
  assert.equal(formatCount(0, "copy", "copies"), "0 copies");
  assert.equal(formatCount(1_234_567, "row"), "1,234,567 rows");
});
