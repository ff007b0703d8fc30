/**
 * The one of `candidates` that `word` was probably meant to be; undefined when none is close. Counts letters to add,
 * drop, change or swap: about one for every three letters of the word, three at most.
 */
export function nearest<T extends string>(word: string, candidates: Iterable<T>): T | undefined {
  // Longer words are no slips of names that have 54 letters at most, and would only cost time.
  if (word.length > 60) return undefined;
  const allowed = Math.min(3, Math.max(1, Math.floor((word.length + 1) / 3)));
  const ranked = [...candidates]
    .filter((candidate) => Math.abs(candidate.length - word.length) <= allowed)
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter((entry) => entry.distance <= allowed)
    .sort((one, other) => one.distance - other.distance);
  return ranked[0]?.candidate;
}

/** Optimal string alignment: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance */
function distance(from: string, to: string): number {
  let [beforeLast, last] = [[] as number[], [...Array(to.length + 1).keys()]];
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1;
      const swapped = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + change,
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
