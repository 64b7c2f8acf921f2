import { nameInWords } from '../path';

/**
 * Takes a text apart where something was found. The server counts in bytes of UTF-8, and JavaScript in
 * halves of UTF-16, so the cuts are made in the bytes.
 */
export function splitMarks(
  text: string,
  highlights: readonly { start: number; end: number }[]
): { text: string; isMarked: boolean }[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const piece = (from: number, until: number) =>
    nameInWords(decoder.decode(bytes.slice(from, until)));
  const parts: { text: string; isMarked: boolean }[] = [];
  let at = 0;
  for (const { start, end } of highlights) {
    if (start < at || end <= start || end > bytes.length) continue;
    if (start > at) parts.push({ text: piece(at, start), isMarked: false });
    parts.push({ text: piece(start, end), isMarked: true });
    at = end;
  }
  if (at < bytes.length) parts.push({ text: piece(at, bytes.length), isMarked: false });
  return parts;
}
