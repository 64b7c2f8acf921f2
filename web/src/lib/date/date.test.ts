import { beforeEach, describe, expect, it } from 'vitest';
import { speak } from '../words/words.svelte';
import { parseEdtf } from './edtf';
import { readDate } from './read';
import { dateInWords, headingOf } from './words';

// As the plain pages say them (crates/heirloom-server/src/page/date.rs).
const CASES: [string, string, string][] = [
  ['1950', '1950', '1950'],
  ['1950~', 'about 1950', 'um 1950'],
  ['1950?', 'perhaps 1950', 'vielleicht 1950'],
  ['1950%', 'perhaps about 1950', 'vielleicht um 1950'],
  ['195X', 'the 1950s', '1950er Jahre'],
  ['19XX', 'the 1900s (century)', '1900er Jahre (Jahrhundert)'],
  ['1950-XX', '1950', '1950'],
  ['1942-05', 'May 1942', 'Mai 1942'],
  ['1942-05-XX', 'May 1942', 'Mai 1942'],
  ['1942-05-01', '1 May 1942', '1. Mai 1942'],
  ['1942-05-01~', 'about 1 May 1942', 'um 1. Mai 1942'],
  ['1963-22', 'summer 1963', 'Sommer 1963'],
  ['1963-24', 'winter 1963/1964', 'Winter 1963/1964'],
  ['2003-05-01T07:05:59+02:00', '1 May 2003, 7:05', '1. Mai 2003, 7:05 Uhr'],
  ['1942/1945', '1942 to 1945', '1942 bis 1945'],
  ['1942~/1945-05-08', 'about 1942 to 8 May 1945', 'um 1942 bis 8. Mai 1945'],
  ['1942/..', '1942 or later', '1942 oder später'],
  ['../1942', '1942 or earlier', '1942 oder früher'],
  ['1942/', 'from 1942 on, until nobody knows when', 'ab 1942, das Ende ist unbekannt'],
  ['/1942', 'until 1942, since nobody knows when', 'bis 1942, der Anfang ist unbekannt'],
  ['0000', '1 BC', '1 v. Chr.'],
  ['-0043', '44 BC', '44 v. Chr.']
];

describe('dates', () => {
  it('read as people say them', async () => {
    for (const [language, at] of [
      ['en', 1],
      ['de', 2]
    ] as const) {
      await speak(language);
      for (const words of CASES) expect(dateInWords(words[0]), words[0]).toBe(words[at]);
      expect(dateInWords(null)).toBe(language === 'en' ? 'No date known' : 'Kein Datum bekannt');
    }
  });

  it('that are none are not taken for one', () => {
    for (const text of [
      '',
      'x',
      '1974-13',
      '1974-02-30',
      '1974-21-01',
      '/',
      '..',
      '1974/1975/1976',
      '195X-05',
      '1900-02-29'
    ]) {
      expect(parseEdtf(text), text).toBeUndefined();
    }
    expect(parseEdtf('2000-02-29')).toBeDefined();
  });

  it('are understood as people write them', () => {
    const cases: [string, string | undefined][] = [
      ['1950', '1950'],
      ['  about 1950 ', '1950~'],
      ['um 1950', '1950~'],
      ['ca. 1950', '1950~'],
      ['circa 1950', '1950~'],
      ['perhaps 1950', '1950?'],
      ['vielleicht um 1950', '1950%'],
      ['1950?', '1950?'],
      ['1.7.1974', '1974-07-01'],
      ['24. 12. 1974', '1974-12-24'],
      ['12.1974', '1974-12'],
      ['1 July 1974', '1974-07-01'],
      ['1. Juli 1974', '1974-07-01'],
      ['July 1974', '1974-07'],
      ['im Mai 1942', '1942-05'],
      ['Sept 1974', '1974-09'],
      ['März 1974', '1974-03'],
      ['summer 1963', '1963-22'],
      ['Herbst 1963', '1963-23'],
      ['1940s', '194X'],
      ['the 1940s', '194X'],
      ['1940er', '194X'],
      ['1942 to 1945', '1942/1945'],
      ['zwischen 1942 und 1945', '1942/1945'],
      ['1942–1945', '1942/1945'],
      ['about 1942 to May 1945', '1942~/1945-05'],
      ['194X', '194X'],
      ['1985/..', '1985/..'],
      ['somewhere in the 1950s', '195X'],
      ['in the 1950s', '195X'],
      ['irgendwann in den 1950ern', '195X'],
      ['in den 1950er Jahren', '195X'],
      ['perhaps in the 1950s', '195X?'],
      ['early 1950s', '1950/1953'],
      ['the late 1950s', '1957/1959'],
      ['Anfang der 1950er', '1950/1953'],
      ['before 1960', '../1959'],
      ['vor Mai 1960', '../1960-05'],
      ['nach 1945', '1946/..'],
      ['seit 1945', '1945/..'],
      ['1942 or later', '1942/..'],
      ['1942 oder früher', '../1942'],
      ['1953 or 1954', '1953/1954'],
      ['Christmas 1953', '1953-12-25~'],
      ['Weihnachten 1953', '1953-12-24~'],
      ['before yesterday', undefined],
      ['yesterday', undefined],
      ['31.2.1974', undefined],
      ['Foo 1974', undefined],
      ['', undefined]
    ];
    for (const [typed, edtf] of cases) expect(readDate(typed), typed).toBe(edtf);
  });

  describe('as headings', () => {
    beforeEach(() => speak('en'));
    it('stand together by month where that is known', () => {
      const day = headingOf('1974-07-01T10:00:00');
      expect(day).toEqual({ key: '1974-7', words: 'July 1974', day: 'Mon 1' });
      expect(headingOf('1974-07-15').key).toBe(day.key);
      expect(headingOf('1974-07').key).toBe(day.key);
      expect(headingOf('1974-07').day).toBeUndefined();
      expect(headingOf('1974-08-01').key).not.toBe(day.key);
      expect(headingOf('1950~')).toEqual({ key: '1950~', words: 'about 1950' });
      expect(headingOf(undefined)).toEqual({ key: '', words: 'No date known' });
    });
  });
});
