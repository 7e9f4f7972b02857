/** How long it takes to start: `--version` beside a compiled program that does nothing. */
import { inTurns, median, milliseconds, ratio } from "./measure.ts";
import type { Place } from "./place.ts";
import { against, printTable, times } from "./report.ts";

const GOAL = 2;

/** Measures and prints. */
export async function measureStart(place: Place, rounds: number): Promise<void> {
  const [version = [], empty = []] = await inTurns(rounds * 5, [
    { name: "--version", measure: () => milliseconds({ words: [place.cairn, "--version"] }) },
    { name: "empty", measure: () => milliseconds({ words: [place.empty] }) },
  ]);
  printTable("Start", ["", "median", "goal"], [
    ["cairn --version", `${median(version).toFixed(0)} ms`, against(GOAL, ratio(version, empty), times)],
    ["an empty compiled program", `${median(empty).toFixed(0)} ms`, ""],
  ]);
}
