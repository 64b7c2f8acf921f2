import { describe, expect, it } from 'vitest';
import { layOutTimeline } from './layout';
import { placed, rested, scaleFor, scrolled, toPage, toWhole, type Position } from './scale';

const WINDOW = 800;
/** 1,000,000 pictures on a phone: two in a row. */
const MILLION = layOutTimeline(
  Array.from({ length: 1500 }, (_, i) => ({ count: i === 1499 ? 300_000 : 467, headingLength: 8 })),
  { width: 328, rowHeight: 116, gap: 6, headingHeight: 52, letterWidth: 12 }
);

describe('a page that is taller than browsers can scroll', () => {
  it('is as tall as they can, and no taller on screens with more pixels', () => {
    expect(MILLION.height).toBeGreaterThan(50_000_000);
    expect(scaleFor(MILLION.height, 1).page).toBe(8_000_000);
    for (const ratio of [1, 2, 3, 6]) {
      expect(scaleFor(MILLION.height, ratio).page * ratio).toBeLessThan(2 ** 24);
    }
    expect(scaleFor(5_000, 1)).toEqual({ whole: 5_000, page: 5_000 });
  });

  it('maps there and back, never downwards, with both ends at the ends', () => {
    for (const scale of [scaleFor(MILLION.height, 1), scaleFor(9_000_000, 3), scaleFor(7000, 1)]) {
      let last = -Infinity;
      for (let i = 0; i <= 1000; i++) {
        const at = (i / 1000) * (scale.page - WINDOW);
        const top = toWhole(scale, at);
        expect(top).toBeGreaterThan(last);
        expect(toPage(scale, top)).toBeCloseTo(at, 3);
        last = top;
      }
      expect(toWhole(scale, 0)).toBe(0);
      expect(toWhole(scale, scale.page - WINDOW)).toBeCloseTo(scale.whole - WINDOW, 6);
    }
  });

  it('goes one to one in small steps, and leads to both ends whatever was done before', () => {
    const scale = scaleFor(MILLION.height, 1);
    const leap = 3 * WINDOW;
    const end = scale.page - WINDOW;
    let seed = 11;
    const next = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    let position: Position = { at: 0, shift: 0 };
    for (let i = 0; i < 3000; i++) {
      const isStep = next() < 0.9;
      const wanted = isStep ? position.at + (next() - 0.5) * 2 * WINDOW : next() * end;
      const at = Math.min(Math.max(wanted, 0), end);
      const after = scrolled(scale, position, at, leap);
      const moved = after.at + after.shift - (position.at + position.shift);
      if (isStep) expect(moved).toBeCloseTo(at - position.at, 6);
      position = next() < 0.2 ? rested(scale, after) : after;
      const top = position.at + position.shift;
      expect(top).toBeGreaterThanOrEqual(-2 * WINDOW);
      expect(top).toBeLessThanOrEqual(scale.whole + WINDOW);
    }
    for (const direction of [-1, 1]) {
      // Steps alone lead to the end too: what is near it is mapped one to one.
      const near = direction < 0 ? 150_000 : scale.whole - WINDOW - 150_000;
      position = placed(scale, near);
      for (let i = 0; i < 500; i++) {
        const at = Math.min(Math.max(position.at + direction * 400, 0), end);
        position = scrolled(scale, position, at, leap);
      }
      const top = position.at + position.shift;
      expect(top).toBeCloseTo(direction < 0 ? 0 : scale.whole - WINDOW, 0);
    }
  });

  it('stays where it is when it rests, and comes to rest at the end', () => {
    const scale = scaleFor(MILLION.height, 2);
    const far = placed(scale, 31_234_567.25);
    const moved = scrolled(scale, far, far.at + 1500, 3 * WINDOW);
    const calm = rested(scale, moved);
    expect(calm.at + calm.shift).toBeCloseTo(moved.at + moved.shift, 6);
    expect(Math.abs(calm.at - moved.at)).toBeGreaterThan(100);
    expect(rested(scale, calm)).toEqual(calm);
    const end = scrolled(scale, far, scale.page - WINDOW, 3 * WINDOW);
    expect(end.at + end.shift).toBeCloseTo(scale.whole - WINDOW, 6);
  });

  it('is not scaled where that is not needed', () => {
    const scale = scaleFor(120_000, 3);
    for (const at of [-50, 0, 700, 119_000]) {
      expect(scrolled(scale, { at: 0, shift: 0 }, at, 2400)).toEqual({ at, shift: 0 });
      expect(placed(scale, at)).toEqual({ at, shift: 0 });
    }
  });
});
