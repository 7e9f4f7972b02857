/** Golden values beside each other, compared one by one. */
import assert from "node:assert/strict";

/** Fails on the first input whose output is not the expected one, and says which. */
export function assertEqualTable<T>(
  said: (input: T) => string,
  cases: readonly (readonly [T, string])[],
): void {
  for (const [input, expected] of cases) assert.equal(said(input), expected, `for ${String(input)}`);
}
