/** Putting what is in an album in another order. */

/** The list with the entry at one place moved to another, both counted from 0 in the list as it is. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, i) => i !== from);
  rest.splice(to, 0, list[from]!);
  return rest;
}

/**
 * Before which entry something has to be put so that it stands at a place afterwards; `null` for the
 * end.
 */
export function standsBefore(ids: readonly string[], from: number, to: number): string | null {
  return moved(ids, from, to)[to + 1] ?? null;
}
