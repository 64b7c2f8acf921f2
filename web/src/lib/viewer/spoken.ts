/** Something that is said: times are milliseconds from the beginning. */
export interface Spoken {
  start_ms: number;
  end_ms: number;
}

/** Which of these is being said at a moment: the last that has begun, also in the pause after it; -1 before the first. */
export function findSpoken(spoken: readonly Spoken[], ms: number): number {
  let [from, until] = [0, spoken.length];
  while (from < until) {
    const middle = (from + until) >> 1;
    if (spoken[middle]!.start_ms <= ms) from = middle + 1;
    else until = middle;
  }
  return from - 1;
}
