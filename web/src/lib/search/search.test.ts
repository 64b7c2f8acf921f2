import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { speak } from '../words/words.svelte';
import { splitMarks } from './marks';
import { addTerm, fieldOf, removeTerm, splitQuery, writeField } from './query';
import { termInWords } from './words';

describe('a query', () => {
  it('is taken apart into terms', () => {
    const cases: [string, string[]][] = [
      ['', []],
      ['  beach  sun ', ['beach', 'sun']],
      ['"on the beach" sun', ['"on the beach"', 'sun']],
      ['„am Strand“ x', ['„am Strand“', 'x']],
      ['-"on the bea*"', ['-"on the bea*"']],
      ['person:"Anna Maria" type:image', ['person:"Anna Maria"', 'type:image']],
      ['type: image beach', ['type: image', 'beach']],
      ['TYPE:image', ['TYPE:image']],
      ['person:"Oma ""Liesl"""', ['person:"Oma ""Liesl"""']],
      ['12:30', ['12:30']],
      ['"never closed', ['"never closed']],
      ['type:', ['type:']]
    ];
    for (const [query, terms] of cases) {
      expect(
        splitQuery(query).map((term) => term.text),
        query
      ).toEqual(terms);
    }
  });

  it('knows what its terms say', async () => {
    await speak('en');
    const cases: [string, string][] = [
      ['beach', 'beach'],
      ['"on the beach"', 'on the beach'],
      ['type:image,video', 'Kind: Picture, Film'],
      ['-type:video', 'not Kind: Film'],
      ['person:"Oma ""Liesl"""', 'Person: Oma "Liesl"'],
      ['is:missing', 'State: missing'],
      ['-letter', 'not letter'],
      ['12:30', '12:30'],
      ['kammera:leica', 'kammera:leica'],
      ['Ort:Bremen', 'Place: Bremen'],
      ['-art:film,Bild', 'not Kind: Film, Picture'],
      ['zustand:gelöscht', 'State: deleted'],
      ['album:"Am Meer"', 'Collection: Am Meer']
    ];
    for (const [query, words] of cases)
      expect(termInWords(splitQuery(query)[0]!), query).toBe(words);
  });

  it('knows every name that the language has', () => {
    const text = readFileSync('../docs/search.md', 'utf8');
    const table = text.split('## In German')[1]!.split('## ')[0]!;
    const rows = [...table.matchAll(/^\| `(\S+?):(\S*?)` \| `(\S+?):(\S*?)` \|$/gm)];
    expect(rows.length).toBeGreaterThan(15);
    for (const [row, german, value, english, meant] of rows) {
      expect(fieldOf(german!), row).toBe(english);
      expect(splitQuery(`${german}:${value}`)[0]!.value, row).toBe(meant);
    }
  });

  it('takes terms on and lets them go', () => {
    expect(addTerm('beach', 'type:image')).toBe('beach type:image');
    expect(addTerm('beach type:image', 'type:image')).toBe('beach type:image');
    expect(removeTerm('a "b c" d', 1)).toBe('a d');
    expect(removeTerm('a', 0)).toBe('');
    for (const value of ['Anna', 'Anna Maria', 'Oma "Liesl"', ' x ']) {
      const [term] = splitQuery(writeField('person', value));
      expect(term?.value).toBe(value.trim());
    }
  });
});

describe('what was found', () => {
  it('is marked where the server said, which counts bytes', () => {
    expect(splitMarks('Düne am Meer', [{ start: 9, end: 13 }])).toEqual([
      { text: 'Düne am ', isMarked: false },
      { text: 'Meer', isMarked: true }
    ]);
    expect(splitMarks('👵 Oma', [{ start: 5, end: 8 }]).at(-1)).toEqual({
      text: 'Oma',
      isMarked: true
    });
    expect(splitMarks('a', [])).toEqual([{ text: 'a', isMarked: false }]);
    expect(splitMarks('abc', [{ start: 2, end: 99 }])).toEqual([{ text: 'abc', isMarked: false }]);
  });
});
