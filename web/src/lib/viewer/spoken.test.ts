import { expect, test } from 'vitest';
import { findSpoken } from './spoken';

test('what is being said is the last that has begun', () => {
  const spoken = [
    { start_ms: 500, end_ms: 900 },
    { start_ms: 1000, end_ms: 1500 },
    { start_ms: 4000, end_ms: 4200 }
  ];
  const at = (ms: number) => findSpoken(spoken, ms);
  expect([0, 499, 500, 950, 1000, 3000, 4000, 99_000].map(at)).toEqual([-1, -1, 0, 0, 1, 1, 2, 2]);
  expect(findSpoken([], 5)).toBe(-1);
});
