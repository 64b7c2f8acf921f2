/** How a page lies in a frame: pure, so that it can be tried without a screen. Points of a page are shares of it. */
import type { Corners } from './lines';

export interface Size {
  width: number;
  height: number;
}

/** The page is turned by so many degrees around its top left corner, made larger, and moved by so many pixels. */
export interface Lie {
  turn: number;
  scale: number;
  x: number;
  y: number;
}

/** So much of a frame is filled at most, by the length and by the height of a line. */
const LONG = 0.94;
const HIGH = 0.6;
/** A line is shown so high at least, in pixels, where that leaves it in the frame. */
const LEGIBLE = 28;

/** The whole page, turned so that it can be read. */
export function whole(page: Size, turn: number, frame: Size): Lie {
  const isOnSide = turn % 180 !== 0;
  const [width, height] = isOnSide ? [page.height, page.width] : [page.width, page.height];
  const scale = Math.min(frame.width / width, frame.height / height);
  return around({ turn, scale }, [page.width / 2, page.height / 2], frame);
}

/** A line, straight and in the middle; of one that is longer than the frame what is at this share of its length. */
export function closeUp(page: Size, corners: Corners, frame: Size, along = 0): Lie {
  const [a, b, c, d] = corners.map(([x, y]) => [x! * page.width, y! * page.height] as const);
  const middle = (one: readonly [number, number], other: readonly [number, number]) =>
    [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2] as const;
  const [start, end, top, bottom] = [
    middle(a!, d!),
    middle(b!, c!),
    middle(a!, b!),
    middle(c!, d!)
  ];
  const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
  const length = Math.max(Math.hypot(dx, dy), 1);
  const height = Math.max(Math.hypot(bottom[0] - top[0], bottom[1] - top[1]), 1);
  const highest = (frame.height * HIGH) / height;
  const fitting = (frame.width * LONG) / length;
  const scale = Math.min(Math.max(fitting, LEGIBLE / height), highest);
  const half = Math.min((frame.width * LONG) / scale, length) / 2;
  const at = Math.min(Math.max(along * length, half), length - half) / length;
  const turn = (-Math.atan2(dy, dx) * 180) / Math.PI;
  return around({ turn, scale }, [start[0] + dx * at, start[1] + dy * at], frame);
}

/** With a point of the page in the middle of the frame. */
function around(lie: Pick<Lie, 'turn' | 'scale'>, [x, y]: [number, number], frame: Size): Lie {
  const angle = (lie.turn * Math.PI) / 180;
  const [sin, cos] = [Math.sin(angle) * lie.scale, Math.cos(angle) * lie.scale];
  return {
    ...lie,
    x: frame.width / 2 - (x * cos - y * sin),
    y: frame.height / 2 - (x * sin + y * cos)
  };
}

/** Where a point of the page is once that is turned so that it can be read. */
export function toUpright([x, y]: number[], turn: number): [number, number] {
  if (turn === 90) return [1 - y!, x!];
  if (turn === 180) return [1 - x!, 1 - y!];
  return turn === 270 ? [y!, 1 - x!] : [x!, y!];
}

export function toPage(point: number[], turn: number): [number, number] {
  return toUpright(point, (360 - turn) % 360);
}

/** Left, top, width and height on the page once it is upright. */
export type Box = [number, number, number, number];

export function boxOf(corners: Corners, turn: number): Box {
  const points = corners.map((corner) => toUpright(corner, turn));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

export function cornersOf([left, top, width, height]: Box, turn: number): Corners {
  const [right, bottom] = [left + width, top + height];
  const corners = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom]
  ];
  const share = (value: number) => Math.round(Math.min(Math.max(value, 0), 1) * 1e4) / 1e4;
  return corners.map((corner) => toPage(corner, turn).map(share));
}

/** No frame is smaller. */
const LEAST = 0.01;

/** A box that is moved or made larger, and stays on the page. */
export function change(box: Box, [dx, dy]: [number, number], isSize: boolean): Box {
  const within = (value: number, least: number, most: number) =>
    Math.min(Math.max(value, least), most);
  const [left, top, width, height] = box;
  if (isSize) {
    return [left, top, within(width + dx, LEAST, 1 - left), within(height + dy, LEAST, 1 - top)];
  }
  return [within(left + dx, 0, 1 - width), within(top + dy, 0, 1 - height), width, height];
}

/** The box between two points, however one was reached from the other. */
export function between([x, y]: number[], [u, v]: number[]): Box {
  const share = (value: number) => Math.min(Math.max(value, 0), 1);
  const [left, right] = [share(Math.min(x!, u!)), share(Math.max(x!, u!))];
  const [top, bottom] = [share(Math.min(y!, v!)), share(Math.max(y!, v!))];
  return [left, top, right - left, bottom - top];
}
