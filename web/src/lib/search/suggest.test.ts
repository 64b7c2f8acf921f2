import { describe, expect, it } from 'vitest';
import { byteAt, put } from './suggest';

/** What stands at the `[…]` of a text gives way; the caret is then at the `|`. */
function chosen(marked: string, kind: string, text: string): string {
  const start = marked.indexOf('[');
  const end = marked.indexOf(']') - 1;
  const query = marked.replace('[', '').replace(']', '');
  const replaces = { start: byteAt(query, start), end: byteAt(query, end) };
  const { query: now, at } = put(query, { kind, text }, replaces);
  return `${now.slice(0, at)}|${now.slice(at)}`;
}

describe('a suggestion that is chosen', () => {
  it('takes the place of what was typed, and the caret goes on behind it', () => {
    const cases: [string, string, string, string][] = [
      ['[pla]', 'field', 'place:', 'place:|'],
      ['place:[bre]', 'place', 'Bremen', 'place:Bremen |'],
      ['beach place:[] sun', 'place', '"New York"', 'beach place:"New York" |sun'],
      ['[bre] sun', 'place', 'place:Bremen', 'place:Bremen |sun'],
      ['-[bre]', 'place', 'place:Bremen', '-place:Bremen |'],
      ['type:[im],video', 'type', 'image', 'type:image|,video'],
      ['date:[19]..1980', 'date', '1974', 'date:1974|..1980'],
      ['[pla]bremen', 'field', 'place:', 'place:|bremen']
    ];
    for (const [marked, kind, text, expected] of cases)
      expect(chosen(marked, kind, text), marked).toBe(expected);
  });

  it('is put in where the server counts bytes', () => {
    expect(byteAt('Müller', 2)).toBe(3);
    expect(byteAt('👵 x', 3)).toBe(5);
    expect(chosen('„Düne“ 👵 ort:[kü] ä', 'place', 'Kühlungsborn')).toBe(
      '„Düne“ 👵 ort:Kühlungsborn |ä'
    );
  });
});
