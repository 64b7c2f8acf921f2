/** Putting a suggestion into a query. The server counts in bytes of UTF-8, and JavaScript in halves of UTF-16. */
import type { Suggestion, Suggestions } from '../api/client';

/** How many bytes stand before a place in a text. */
export function byteAt(text: string, at: number): number {
  return new TextEncoder().encode(text.slice(0, at)).length;
}

/** The place before which so many bytes stand. */
function placeAt(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, byte)).length;
}

/** The query with a suggestion in place of what was typed, and where the caret is then. */
export function put(
  query: string,
  { kind, text }: Pick<Suggestion, 'kind' | 'text'>,
  replaces: Suggestions['replaces']
): { query: string; at: number } {
  const before = query.slice(0, placeAt(query, replaces.start));
  const after = query.slice(placeAt(query, replaces.end));
  // A value follows a field at once, and another term whatever else there is.
  const gap = kind === 'field' || /^[\s,./]/.test(after) ? '' : ' ';
  const isBehindGap = gap === '' && kind !== 'field' && /^\s/.test(after);
  const at = before.length + text.length + gap.length + (isBehindGap ? 1 : 0);
  return { query: before + text + gap + after, at };
}
