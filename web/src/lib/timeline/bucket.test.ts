import { beforeEach, describe, expect, it } from 'vitest';
import { speak } from '../words/words.svelte';
import { bucketInWords, findBucket, yearOf } from './bucket';

describe('buckets', () => {
  it('are headed in words', async () => {
    const cases = [
      ['2024-05', 'May 2024', 'Mai 2024'],
      ['1974', 'Some time in 1974', 'Irgendwann im Jahr 1974'],
      ['195X', 'Some time in the 1950s', 'Irgendwann in den 1950er Jahren'],
      ['1953/1962', 'Some time from 1953 to 1962', 'Irgendwann 1953 bis 1962'],
      ['1953/..', '1953 or later', '1953 oder später'],
      ['-0043', 'Some time in 44 BC', 'Irgendwann im Jahr 44 v. Chr.'],
      ['Y12024-05', 'May 12024', 'Mai 12024'],
      ['undated', 'Without a date', 'Ohne Datum']
    ] as const;
    for (const [tag, at] of [
      ['en', 1],
      ['de', 2]
    ] as const) {
      await speak(tag);
      for (const words of cases) expect(bucketInWords(words[0]), words[0]).toBe(words[at]);
    }
  });

  describe('are found', () => {
    beforeEach(() => speak('en'));
    const names = ['2024-05', '2024-01', '1974-03', '1974', '195X', '1953/..', '-0043', 'undated'];
    const buckets = names.map((bucket) => ({ bucket, count: 1 }));
    it('by a date, or the next older one', () => {
      const cases: [number, number | undefined, string][] = [
        [2024, undefined, '2024-05'],
        [2024, 4, '2024-01'],
        [2030, 1, '2024-05'],
        [1974, 3, '1974-03'],
        [1974, 2, '1974'],
        [1955, undefined, '1953/..'],
        [1950, undefined, '195X'],
        [1900, 6, '-0043'],
        [-300, undefined, '-0043']
      ];
      const sorted = [...buckets].sort(
        (a, b) => (yearOf(b.bucket) ?? -1e9) - (yearOf(a.bucket) ?? -1e9)
      );
      for (const [year, month, wanted] of cases) {
        expect(sorted[findBucket(sorted, year, month)]?.bucket, `${year}-${month}`).toBe(wanted);
      }
      expect(findBucket([], 1974)).toBe(0);
      expect(yearOf('undated')).toBeUndefined();
    });
  });
});
