import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  cellsWithin,
  countPerRow,
  indexAt,
  layOutTimeline,
  neighbourInRow,
  rowOf,
  topOf,
  type Group,
  type Measures
} from './layout';

const MEASURES: Measures = {
  width: 1000,
  rowHeight: 190,
  gap: 6,
  headingHeight: 50,
  letterWidth: 12
};
const PHONE: Measures = { ...MEASURES, width: 288, rowHeight: 116 };

/** Always the same numbers, spread as chance would. */
function chance(seed: number): () => number {
  return () => (seed = (seed * 48271) % 2147483647) / 2147483647;
}

/** Buckets as a family has them: large and tiny ones, and some with nothing in them. */
function groups(howMany: number): Group[] {
  const next = chance(7);
  return Array.from({ length: howMany }, () => {
    const kind = next();
    const count = kind < 0.1 ? 0 : kind < 0.5 ? Math.ceil(next() * 3) : Math.ceil(next() * 400);
    return { count, headingLength: 8 + Math.floor(next() * 20) };
  });
}

/** Some are slim, some wide, some unknown. */
const ratioAt = (index: number) => [0.5, 0.75, 1.33, undefined, 1.78, 4, NaN, 0][index % 8];

describe('the layout of the timeline', () => {
  it('places everything once, within the width, without laying one over another', () => {
    for (const measures of [MEASURES, PHONE]) {
      const layout = layOutTimeline(groups(60), measures);
      const cells = cellsWithin(layout, -1, layout.height + 1, ratioAt);
      const tiles = cells.filter((cell) => !cell.isHeading);
      expect(tiles.map((cell) => cell.index)).toEqual(
        Array.from({ length: layout.starts.at(-1)! }, (_, i) => i)
      );
      for (const cell of cells) {
        expect(cell.x).toBeGreaterThanOrEqual(0);
        expect(cell.x + cell.width).toBeLessThanOrEqual(measures.width + 0.01);
        expect(cell.width).toBeGreaterThan(0);
        expect(cell.y + cell.height).toBeLessThanOrEqual(layout.height);
      }
      for (let i = 1; i < tiles.length; i++) {
        const [before, it] = [tiles[i - 1]!, tiles[i]!];
        if (it.y === before.y) expect(it.x).toBeGreaterThanOrEqual(before.x + before.width);
        else expect(it.y).toBeGreaterThanOrEqual(before.y + before.height);
      }
      // The order of reading, which is also the order of nodes in the page, has no hole.
      cells.forEach((cell, i) => {
        if (i > 0) expect(cell.entry).toBeGreaterThan(cells[i - 1]!.entry);
      });
    }
  });

  it('has the same heights whatever the pictures look like', () => {
    const some = groups(200);
    const { height, bands } = layOutTimeline(some, MEASURES);
    const pitch = MEASURES.rowHeight + MEASURES.gap;
    const perRow = countPerRow(MEASURES);
    let wanted = 0;
    for (const band of bands) {
      expect(band.top).toBe(wanted);
      const counts = some.slice(band.first, band.last).map((group) => group.count);
      const all = counts.reduce((sum, count) => sum + count, 0);
      if (all > 0)
        wanted += MEASURES.headingHeight + (band.slots ? 1 : Math.ceil(all / perRow)) * pitch;
    }
    expect(height).toBe(wanted);
    for (const ratio of [0.1, 1, 9, undefined]) {
      const cells = cellsWithin({ ...layOutTimeline(some, MEASURES) }, 0, height, () => ratio);
      expect(cells.at(-1)!.y + cells.at(-1)!.height + MEASURES.gap).toBe(height);
    }
  });

  it('fills the width with a full row, and blows no other up', () => {
    const layout = layOutTimeline([{ count: 6, headingLength: 8 }], MEASURES);
    const tiles = cellsWithin(layout, 0, layout.height, () => 1).slice(1);
    expect(layout.perRow).toBe(4);
    expect(tiles.map((it) => it.y)).toEqual([50, 50, 50, 50, 246, 246]);
    expect(tiles[3]!.x + tiles[3]!.width).toBeCloseTo(1000, 6);
    expect(tiles[4]!.width).toBe(190);
  });

  it('puts small buckets beside one another, each under its heading', () => {
    const three = Array.from({ length: 3 }, () => ({ count: 1, headingLength: 8 }));
    const heads = (measures: Measures) => {
      const layout = layOutTimeline(three, measures);
      return cellsWithin(layout, 0, layout.height, () => 1).filter((it) => it.isHeading);
    };
    expect(new Set(heads(MEASURES).map((it) => it.y)).size).toBe(1);
    // On a phone, too, two months of a picture each fill the width.
    const [first, second] = heads({ ...PHONE, letterWidth: 1 });
    expect(second!.y).toBe(first!.y);
    expect(second!.x + second!.width).toBeCloseTo(PHONE.width, 6);
    expect(new Set(heads({ ...PHONE, letterWidth: 20 }).map((it) => it.y)).size).toBe(3);
    // A heading that needs more room than its picture gets it.
    const long = layOutTimeline([{ count: 1, headingLength: 40 }], MEASURES);
    expect(cellsWithin(long, 0, 1, () => 1)[0]!.width).toBe(480);
  });

  it('gives of any stretch what looking at everything would', () => {
    const layout = layOutTimeline(groups(120), MEASURES);
    const all = cellsWithin(layout, 0, layout.height, ratioAt);
    for (let top = -500; top < layout.height + 500; top += 1231) {
      const bottom = top + 900;
      const some = cellsWithin(layout, top, bottom, ratioAt);
      const entries = new Set(some.map((it) => it.entry));
      for (const cell of all) {
        const isWithin = cell.y + cell.height > top && cell.y < bottom;
        if (isWithin) expect(entries.has(cell.entry), `${cell.entry} at ${top}`).toBe(true);
      }
      // No more than the row at each end that is only touched.
      expect(some.every((it) => it.y < bottom + 60 && it.y + it.height > top - 200)).toBe(true);
    }
  });

  it('finds pictures by height and heights by picture', () => {
    const layout = layOutTimeline(groups(150), MEASURES);
    const total = layout.starts.at(-1)!;
    for (let index = 0; index < total; index += 13) {
      const { top, bottom } = rowOf(layout, index);
      const bucket = bucketOf(layout, index);
      expect(layout.starts[bucket]!).toBeLessThanOrEqual(index);
      expect(layout.starts[bucket + 1]!).toBeGreaterThan(index);
      expect(topOf(layout, bucket)).toBeLessThan(top);
      const cell = cellsWithin(layout, top, bottom, ratioAt).find(
        (it) => it.index === index && !it.isHeading
      );
      expect([cell?.y, cell?.bucket]).toEqual([top, bucket]);
      expect(rowOf(layout, indexAt(layout, top)).top).toBe(top);
    }
    expect(indexAt(layout, layout.height + 9999)).toBe(total - 1);
  });

  it('leads up and down to what stands there, from one end to the other', () => {
    const layout = layOutTimeline(groups(60), MEASURES);
    const total = layout.starts.at(-1)!;
    let steps = 0;
    for (const [from, direction, end] of [
      [0, 1, total - 1],
      [total - 1, -1, 0]
    ] as const) {
      let at: number = from;
      for (;;) {
        const next = neighbourInRow(layout, at, direction, ratioAt);
        if (next === at) break;
        expect(Math.sign(rowOf(layout, next).top - rowOf(layout, at).top)).toBe(direction);
        at = next;
        steps += 1;
      }
      expect(rowOf(layout, at).top).toBe(rowOf(layout, end).top);
    }
    expect(steps).toBeGreaterThan(100);
  });

  it('takes nothing at all, and buckets with nothing in them', () => {
    for (const none of [[], [{ count: 0, headingLength: 5 }]]) {
      const layout = layOutTimeline(none, MEASURES);
      expect([layout.height, layout.starts.at(-1)]).toEqual([0, 0]);
      expect(cellsWithin(layout, 0, 1000, ratioAt)).toEqual([]);
    }
    const between = [
      { count: 1, headingLength: 5 },
      { count: 0, headingLength: 5 },
      { count: 1, headingLength: 5 }
    ];
    const layout = layOutTimeline(between, MEASURES);
    expect(cellsWithin(layout, 0, 10, ratioAt).filter((it) => it.isHeading)).toHaveLength(2);
  });
});
