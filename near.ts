/** Finds the word that a person probably meant. */

/**
 * How many letters must be inserted, removed, changed or swapped with their neighbour to turn one word into the other
 * (the "optimal string alignment" form of the Damerau-Levenshtein distance).
 */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[right.length] ?? 0;
}

/**
 * The candidate nearest to `word`, whatever the case, or undefined when none is near: one mistake is allowed for each
 * three letters. The first of several equally near ones wins.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Nobody mistypes a word of that length, and the time is its square.
  if (word.length > 100) return undefined;
  let limit = Math.max(1, Math.floor(word.length / 3));
  let found: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit) [found, limit] = [candidate, distance - 1];
  }
  return found;
}
