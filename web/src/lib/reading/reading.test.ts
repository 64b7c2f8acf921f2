import { expect, it } from 'vitest';
import { boxOf, change, closeUp, cornersOf, toPage, toUpright, whole, type Box } from './view';

const PAGE = { width: 1000, height: 1400 };

/** Where a point of the page is in the frame. */
function seen(lie: ReturnType<typeof whole>, [x, y]: [number, number]): [number, number] {
  const angle = (lie.turn * Math.PI) / 180;
  const [px, py] = [x * PAGE.width * lie.scale, y * PAGE.height * lie.scale];
  return [
    lie.x + px * Math.cos(angle) - py * Math.sin(angle),
    lie.y + px * Math.sin(angle) + py * Math.cos(angle)
  ];
}

it('shows a line straight and in the middle, however it leans', () => {
  const corners = [
    [0.1, 0.2],
    [0.9, 0.25],
    [0.9, 0.28],
    [0.1, 0.23]
  ];
  const lie = closeUp(PAGE, corners, { width: 600, height: 400 });
  const [left, right] = [seen(lie, [0.1, 0.215]), seen(lie, [0.9, 0.265])];
  expect(left[1]).toBeCloseTo(200);
  expect(right[1]).toBeCloseTo(200);
  expect(right[0] - left[0]).toBeCloseTo(564);
  expect((left[0] + right[0]) / 2).toBeCloseTo(300);
});

it('follows what is written in a line that is longer than the frame', () => {
  const corners = cornersOf([0.1, 0.2, 0.8, 0.02], 0);
  const frame = { width: 280, height: 80 };
  const [start, end] = [closeUp(PAGE, corners, frame, 0), closeUp(PAGE, corners, frame, 1)];
  expect(start.scale * PAGE.height * 0.02).toBeCloseTo(28);
  expect(seen(start, [0.1, 0.21])[0]).toBeCloseTo(8.4);
  expect(seen(end, [0.9, 0.21])[0]).toBeCloseTo(271.6);
});

it('turns a page that lies on its side or on its head, there and back', () => {
  const box: Box = [0.1, 0.2, 0.3, 0.05];
  for (const turn of [0, 90, 180, 270]) {
    const corners = cornersOf(box, turn);
    expect(toUpright(corners[0]!, turn).map((it) => Number(it.toFixed(4)))).toEqual([0.1, 0.2]);
    boxOf(corners, turn).forEach((value, at) => expect(value).toBeCloseTo(box[at]!));
    toPage(toUpright([0.3, 0.7], turn), turn).forEach((value, at) =>
      expect(value).toBeCloseTo([0.3, 0.7][at]!)
    );
    const frame = { width: 500, height: 500 };
    const [x, y] = seen(whole(PAGE, turn, frame), toPage([0, 0], turn));
    // Its top left corner is at the top left.
    expect([x, y].map((it) => Math.abs(Math.round(it)))).toEqual(turn % 180 ? [0, 71] : [71, 0]);
  }
});

it('keeps a frame on the page', () => {
  expect(change([0.1, 0.9, 0.5, 0.05], [0.6, 0.2], false)).toEqual([0.5, 0.95, 0.5, 0.05]);
  expect(change([0.5, 0.9, 0.1, 0.05], [0.9, -0.2], true)).toEqual([0.5, 0.9, 0.5, 0.01]);
});
