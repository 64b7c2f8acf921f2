import { describe, expect, it } from 'vitest';
import { DRAGGED } from '../library/tile';
import { droppedAssets, isDragOfAssets } from './collections';
import { moved, standsBefore } from './order';

describe('what is moved in an album', () => {
  it('stands where it was put, and before what it says', () => {
    const list = ['a', 'b', 'c', 'd'];
    const cases: [number, number, string, string | null][] = [
      [0, 1, 'bacd', 'c'],
      [0, 3, 'bcda', null],
      [3, 0, 'dabc', 'a'],
      [2, 1, 'acbd', 'b'],
      [1, 1, 'abcd', 'c']
    ];
    for (const [from, to, order, before] of cases) {
      expect(moved(list, from, to).join('')).toBe(order);
      expect(standsBefore(list, from, to), order).toBe(before);
    }
  });
});

describe('what is dropped on a collection', () => {
  const drop = (text: string) =>
    ({ dataTransfer: { types: [DRAGGED], getData: () => text } }) as unknown as DragEvent;

  it('is ids, and nothing else that comes so', () => {
    expect(droppedAssets(drop('["a","b"]'))).toEqual(['a', 'b']);
    for (const text of ['', '{', '{"a":1}', '"a"', 'null']) {
      expect(droppedAssets(drop(text)), text).toEqual([]);
    }
    expect(droppedAssets(drop('[1,"a",null]'))).toEqual(['a']);
    expect(isDragOfAssets(drop(''))).toBe(true);
    expect(isDragOfAssets({ dataTransfer: { types: ['Files'] } } as unknown as DragEvent)).toBe(
      false
    );
  });
});
