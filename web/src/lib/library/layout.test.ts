import { describe, expect, it } from 'vitest';
import { findWithin, layOut, neighbourInRow, type Measures, type Placeable } from './layout';

const measures: Measures = {
  width: 1000,
  rowHeight: 200,
  gap: 8,
  headingHeight: 40,
  letterWidth: 10
};

/** Always the same numbers, spread as chance would. */
function ratios(count: number): Placeable[] {
  let seed = 7;
  return Array.from({ length: count }, (_, i) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return {
      ratio: 0.4 + (seed / 2147483648) * 2.5,
      heading: `m${Math.floor(i / 37) % 19}`,
      headingLength: 9
    };
  });
}

describe('the layout of the grid', () => {
  it('places every picture once, within the width and without laying one over another', () => {
    const items = ratios(2000);
    const { placed, height } = layOut(items, measures);
    const tiles = placed.filter((it) => !it.isHeading);
    expect(tiles.map((it) => it.index)).toEqual(items.map((_, i) => i));
    for (let i = 1; i < tiles.length; i++) {
      const [before, it] = [tiles[i - 1]!, tiles[i]!];
      expect(it.x).toBeGreaterThanOrEqual(0);
      expect(it.x + it.width).toBeLessThanOrEqual(measures.width + 0.01);
      if (it.y === before.y) expect(it.x).toBeGreaterThanOrEqual(before.x + before.width);
      else expect(it.y).toBeGreaterThanOrEqual(before.y + before.height);
    }
    const last = tiles.at(-1)!;
    expect(height).toBeGreaterThanOrEqual(last.y + last.height);
  });

  it('lets rows fill the width, but blows no last row up', () => {
    const six = Array.from({ length: 6 }, () => ({ ratio: 1.5, heading: '', headingLength: 0 }));
    const { placed } = layOut(six, { ...measures, headingHeight: 0 });
    const rows = [...new Set(placed.map((it) => it.y))];
    expect(rows).toHaveLength(2);
    const first = placed.filter((it) => it.y === rows[0]);
    const end = first.at(-1)!;
    expect(end.x + end.width).toBeCloseTo(1000, 3);
    expect(placed.at(-1)!.height).toBe(200);
  });

  it('puts small groups beside one another, each under its heading', () => {
    const items = ['a', 'b', 'c'].map((heading) => ({ ratio: 1, heading, headingLength: 8 }));
    const { placed } = layOut(items, measures);
    expect(placed.map((it) => it.isHeading)).toEqual([true, false, true, false, true, false]);
    expect(new Set(placed.filter((it) => it.isHeading).map((it) => it.y)).size).toBe(1);
    expect(placed[2]!.x).toBe(placed[3]!.x);
    // On a phone they stand below one another.
    const narrow = layOut(items, { ...measures, width: 230 }).placed.filter((it) => it.isHeading);
    expect(new Set(narrow.map((it) => it.y)).size).toBe(3);
  });

  it('finds what is within a stretch, as looking at each would', () => {
    const { placed, height } = layOut(ratios(3000), measures);
    for (let top = -300; top < height + 300; top += 997) {
      const bottom = top + 800;
      const [first, last] = findWithin(placed, top, bottom);
      const wanted = placed.flatMap((it, i) => (it.bottom > top && it.top < bottom ? [i] : []));
      expect([first, last]).toEqual(
        wanted.length ? [wanted[0], wanted.at(-1)! + 1] : [first, first]
      );
    }
  });

  it('leads up and down to what stands there', () => {
    const items = Array.from({ length: 9 }, () => ({ ratio: 1, heading: '', headingLength: 0 }));
    const { placed } = layOut(items, { ...measures, width: 640, headingHeight: 0 });
    const perRow = placed.filter((it) => it.y === 0).length;
    expect(neighbourInRow(placed, 1, 1)).toBe(1 + perRow);
    expect(neighbourInRow(placed, 1 + perRow, -1)).toBe(1);
    expect(neighbourInRow(placed, 0, -1)).toBe(0);
    expect(neighbourInRow(placed, 8, 1)).toBe(8);
  });

  it('takes any proportions, and nothing at all', () => {
    const odd = [0, -1, NaN, Infinity, 100, 0.001].map((ratio) => ({
      ratio,
      heading: 'x',
      headingLength: 1
    }));
    for (const { width, height } of layOut(odd, measures).placed) {
      expect(width).toBeGreaterThan(0);
      expect(height).toBeGreaterThan(0);
    }
    expect(layOut([], measures)).toEqual({ placed: [], height: 0 });
  });
});
