import { describe, expect, it } from 'vitest';
import { nameInWords } from './path';
import { readSettings } from './settings.svelte';

describe('settings', () => {
  it('are as they were chosen, and as usual where they cannot be read', () => {
    const usual = readSettings(null);
    expect(usual).toMatchObject({ language: null, theme: 'system', textSize: 100 });
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '3',
      '{"theme":"pink","textSize":300,"language":"xx"}'
    ]) {
      expect(readSettings(text), text).toEqual(usual);
    }
    const chosen = { ...usual, language: 'de', theme: 'dark', textSize: 150, hasShortcuts: false };
    expect(readSettings(JSON.stringify(chosen))).toEqual(chosen);
  });
});

describe('path text', () => {
  it('is shown as names, with a sign for what is no letter', () => {
    const cases = [
      ['Am Meer/Düne.jpg', 'Am Meer/Düne.jpg'],
      ['a\\\\b', 'a\\b'],
      ['M\\xfcller.jpg', 'M\uFFFDller.jpg'],
      ['\\\\xfc', '\\xfc']
    ] as const;
    for (const [text, words] of cases) expect(nameInWords(text)).toBe(words);
  });
});
