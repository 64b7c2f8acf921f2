import { describe, expect, it } from 'vitest';
import type { Artifact, Claim } from '../api/client';
import { speak } from '../words/words.svelte';
import { placeOf } from './claims';
import { pagesOf } from './pages';
import { barsOf } from './wave';
import { moveBy, WHOLE, zoomAt } from './zoom';

const frame = { width: 800, height: 600 };
const picture = { width: 800, height: 400 };

describe('looking closely', () => {
  it('keeps what is under the pointer where it is', () => {
    const view = zoomAt(WHOLE, 3, 200, 100, frame, picture);
    // What was 200 px from the middle is now 600 px from the picture's own middle.
    expect(view.x + 200 * view.scale).toBeCloseTo(200);
    expect(view.y + 100 * view.scale).toBeCloseTo(100);
  });
  it('never zooms out of the whole nor loses the picture', () => {
    expect(zoomAt(WHOLE, 0.1, 50, 50, frame, picture)).toEqual(WHOLE);
    const far = moveBy(zoomAt(WHOLE, 2, 0, 0, frame, picture), 9999, 9999, frame, picture);
    expect(far).toEqual({ scale: 2, x: 400, y: 100 });
    expect(zoomAt(far, 0.01, 0, 0, frame, picture)).toEqual(WHOLE);
    expect(moveBy(WHOLE, 50, 50, frame, picture)).toEqual(WHOLE);
  });
});

describe('the pages of a document', () => {
  it('are those that there are pictures of, in order', () => {
    const artifact = (kind: string, part: string) => ({ kind, part }) as Artifact;
    const artifacts = [
      artifact('screen', '10'),
      artifact('screen', '2'),
      artifact('grid', '3'),
      artifact('screen', ''),
      artifact('screen', '2')
    ];
    expect(pagesOf({ artifacts })).toEqual([2, 10]);
  });
});

describe('a waveform', () => {
  it('has as many bars as fit, and the loudest reaches the top', () => {
    const wave = { bits: 8, length: 4, data: [0, 1, -8, 2, -1, 1, -2, 4] };
    expect(barsOf(wave, 2)).toEqual([1, 0.5]);
    expect(barsOf(wave, 100)).toHaveLength(4);
    expect(barsOf({ bits: 8, length: 0, data: [] }, 10)).toEqual([]);
    expect(barsOf({ bits: 8, length: 2, data: [0, 0, 0, 0] }, 2)).toEqual([0, 0]);
  });
});

describe('the name of a position', () => {
  const named = (region: string, name: string) =>
    [{ id: 'a', kind: 'place', payload: { country: 'DE', region, name } }] as unknown as Artifact[];
  const claim = { kind: 'place', value: 'Munich, Bavaria', author: { kind: 'artifact', id: 'a' } };

  it('is said in the language of the reader', async () => {
    await speak('de');
    expect(placeOf(claim as Claim, named('Bavaria', 'Munich'))).toBe(
      'München, Bayern, Deutschland'
    );
    expect(placeOf(claim as Claim, named('State of Berlin', 'Berlin'))).toBe('Berlin, Deutschland');
    await speak('en');
    expect(placeOf(claim as Claim, named('Bavaria', 'Munich'))).toBe('Munich, Bavaria, Germany');
  });

  it('is what a person said, where somebody did', () => {
    const said = { ...claim, author: { kind: 'person' } };
    expect(placeOf(said as Claim, named('Bavaria', 'Munich'))).toBeUndefined();
  });
});
