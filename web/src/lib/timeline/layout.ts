/**
 * Where each picture of the timeline stands, from counts alone: rows of one height with a fixed number of
 * pictures, under headings. So every height is exact before anything is loaded, and a million pictures cost
 * what their buckets cost. A bucket of less than a row shares one with its neighbours: a shelf.
 *
 * Only the width that a picture has within its row depends on its proportions. Pure.
 */
export interface Group {
  /** How many pictures are in it. */
  count: number;
  /** How many letters its heading has: it needs their room. */
  headingLength: number;
}

/** All in pixels of CSS. */
export interface Measures {
  width: number;
  rowHeight: number;
  gap: number;
  headingHeight: number;
  /** How wide a letter of a heading is. */
  letterWidth: number;
}

/** What stands from one height to another: one bucket in rows of its own, or several on a shelf. */
interface Band {
  top: number;
  height: number;
  /** The buckets, from the first until before the last. */
  first: number;
  last: number;
  /** Of a shelf: where each bucket begins and how wide it may be. */
  slots?: { x: number; width: number }[];
}

export interface TimelineLayout {
  bands: Band[];
  /** Of each bucket the place of its first picture among all, and at the end how many there are. */
  starts: number[];
  height: number;
  perRow: number;
  measures: Measures;
}

/** Something to be shown: a heading or a picture. */
export interface Cell {
  /** Headings and pictures counted together in the order of reading: without a hole, each once. */
  entry: number;
  bucket: number;
  /** The place of the picture among all; of a heading, that of the first below it. */
  index: number;
  isHeading: boolean;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Width by height of the picture at this place among all; `undefined` while nobody knows. */
export type RatioAt = (index: number) => number | undefined;

/** The proportions of what is not known yet. */
const USUAL = 1.25;
/** The slimmest and the widest that a picture may be; others are cut. */
const RATIOS = [0.6, 2] as const;
/** The room between buckets on a shelf, in gaps. */
const ASIDE = 4;

/** How many pictures stand in a full row. */
export function countPerRow({ width, rowHeight, gap }: Measures): number {
  return Math.max(2, Math.round((width + gap) / (rowHeight * USUAL + gap)));
}

export function layOutTimeline(groups: readonly Group[], measures: Measures): TimelineLayout {
  const { width, rowHeight, gap, headingHeight, letterWidth } = measures;
  const perRow = countPerRow(measures);
  // As many as a row has of buckets of one picture each fill the width, with more room between them.
  const one = (width - gap * ASIDE * (perRow - 1)) / perRow;
  const bands: Band[] = [];
  const starts: number[] = [];
  let total = 0;
  let y = 0;
  let shelf: (Band & { slots: { x: number; width: number }[] }) | undefined;
  const put = (band: Band) => {
    bands.push(band);
    y += band.height;
  };
  groups.forEach(({ count, headingLength }, bucket) => {
    starts.push(total);
    total += count;
    if (count >= perRow) {
      shelf = undefined;
      const height = headingHeight + Math.ceil(count / perRow) * (rowHeight + gap);
      put({ top: y, height, first: bucket, last: bucket + 1 });
      return;
    }
    if (count <= 0) {
      // It takes no room, but the shelf goes on behind it.
      if (shelf) {
        shelf.slots.push(shelf.slots.at(-1)!);
        shelf.last = bucket + 1;
      } else {
        bands.push({
          top: y,
          height: 0,
          first: bucket,
          last: bucket + 1,
          slots: [{ x: 0, width: 0 }]
        });
      }
      return;
    }
    const wanted = Math.max(count * one + gap * (count - 1), headingLength * letterWidth);
    const needed = Math.min(wanted, width);
    const before = shelf?.slots.at(-1);
    const x = before ? before.x + before.width + gap * ASIDE : 0;
    if (shelf && x + needed <= width + 0.01) {
      shelf.slots.push({ x, width: needed });
      shelf.last = bucket + 1;
      return;
    }
    const height = headingHeight + rowHeight + gap;
    const slots = [{ x: 0, width: needed }];
    shelf = { top: y, height, first: bucket, last: bucket + 1, slots };
    put(shelf);
  });
  starts.push(total);
  return { bands, starts, height: y, perRow, measures };
}

/** Everything that stands between two heights, in the order of reading. */
export function cellsWithin(
  layout: TimelineLayout,
  top: number,
  bottom: number,
  ratioAt: RatioAt
): Cell[] {
  const { bands, measures } = layout;
  const pitch = measures.rowHeight + measures.gap;
  const cells: Cell[] = [];
  let at = firstWhere(bands.length, (i) => bands[i]!.top + bands[i]!.height > top);
  for (; at < bands.length && bands[at]!.top < bottom; at++) {
    const band = bands[at]!;
    if (band.slots) {
      putShelf(layout, band, ratioAt, cells);
      continue;
    }
    const body = band.top + measures.headingHeight;
    const rows = Math.round((band.height - measures.headingHeight) / pitch);
    if (body > top) cells.push(headingOf(layout, band.first, 0, band.top, measures.width));
    const first = Math.max(0, Math.floor((top - body) / pitch));
    const last = Math.min(rows, Math.ceil((bottom - body) / pitch));
    for (let row = first; row < last; row++) putRow(layout, band, row, ratioAt, cells);
  }
  return cells;
}

function headingOf(
  { starts, measures }: TimelineLayout,
  bucket: number,
  x: number,
  y: number,
  width: number
): Cell {
  const index = starts[bucket]!;
  const entry = index + bucket;
  return { entry, bucket, index, isHeading: true, x, y, width, height: measures.headingHeight };
}

function putRow(
  layout: TimelineLayout,
  band: Band,
  row: number,
  ratioAt: RatioAt,
  cells: Cell[]
): void {
  const { starts, perRow, measures } = layout;
  const bucket = band.first;
  const from = starts[bucket]! + row * perRow;
  const until = Math.min(from + perRow, starts[bucket + 1]!);
  const y = band.top + measures.headingHeight + row * (measures.rowHeight + measures.gap);
  putTiles(layout, bucket, from, until, { x: 0, y, width: measures.width }, ratioAt, cells);
}

function putShelf(layout: TimelineLayout, band: Band, ratioAt: RatioAt, cells: Cell[]): void {
  const { starts, measures } = layout;
  band.slots!.forEach((slot, i) => {
    const bucket = band.first + i;
    const [from, until] = [starts[bucket]!, starts[bucket + 1]!];
    if (from === until) return;
    cells.push(headingOf(layout, bucket, slot.x, band.top, slot.width));
    const y = band.top + measures.headingHeight;
    putTiles(layout, bucket, from, until, { ...slot, y }, ratioAt, cells);
  });
}

/** Pictures beside one another: a full row fills its width, and none is wider than that. */
function putTiles(
  { perRow, measures }: TimelineLayout,
  bucket: number,
  from: number,
  until: number,
  slot: { x: number; y: number; width: number },
  ratioAt: RatioAt,
  cells: Cell[]
): void {
  const { rowHeight, gap } = measures;
  let sum = 0;
  for (let index = from; index < until; index++) sum += clamped(ratioAt(index)) * rowHeight;
  const room = slot.width - gap * (until - from - 1);
  const scale = until - from === perRow || sum > room ? room / sum : 1;
  let x = slot.x;
  for (let index = from; index < until; index++) {
    const width = clamped(ratioAt(index)) * rowHeight * scale;
    const entry = index + bucket + 1;
    cells.push({ entry, bucket, index, isHeading: false, x, y: slot.y, width, height: rowHeight });
    x += width + gap;
  }
}

function clamped(ratio: number | undefined): number {
  if (ratio === undefined || !Number.isFinite(ratio) || ratio <= 0) return USUAL;
  return Math.min(Math.max(ratio, RATIOS[0]), RATIOS[1]);
}

/** The bucket in which the picture at this place among all is. */
export function bucketOf({ starts }: TimelineLayout, index: number): number {
  return Math.max(
    0,
    firstWhere(starts.length - 1, (i) => starts[i + 1]! > index)
  );
}

/** From where until where the row of a picture reaches, without its heading. */
export function rowOf(layout: TimelineLayout, index: number): { top: number; bottom: number } {
  const { bands, starts, perRow, measures } = layout;
  const bucket = bucketOf(layout, index);
  const band = bands[firstWhere(bands.length, (i) => bands[i]!.last > bucket)];
  if (!band) return { top: 0, bottom: 0 };
  const row = band.slots ? 0 : Math.floor((index - starts[bucket]!) / perRow);
  const top = band.top + measures.headingHeight + row * (measures.rowHeight + measures.gap);
  return { top, bottom: top + measures.rowHeight };
}

/** Where a bucket begins, with its heading. */
export function topOf({ bands }: TimelineLayout, bucket: number): number {
  return bands[firstWhere(bands.length, (i) => bands[i]!.last > bucket)]?.top ?? 0;
}

/** The first picture of the first row that reaches below a height; the last row where none does. */
export function indexAt(layout: TimelineLayout, y: number): number {
  const { bands, starts, perRow, measures } = layout;
  const at = firstWhere(bands.length, (i) => bands[i]!.top + bands[i]!.height > y);
  const band = bands[at];
  const total = starts.at(-1)!;
  if (!band) return Math.max(0, total - 1);
  if (band.slots) return starts[band.first]!;
  const pitch = measures.rowHeight + measures.gap;
  const row = Math.max(0, Math.floor((y - band.top - measures.headingHeight) / pitch));
  return Math.min(starts[band.first]! + row * perRow, starts[band.last]! - 1);
}

/** The picture that is nearest straight above (-1) or below (1) another; itself where there is none. */
export function neighbourInRow(
  layout: TimelineLayout,
  index: number,
  direction: 1 | -1,
  ratioAt: RatioAt
): number {
  const own = rowOf(layout, index);
  const total = layout.starts.at(-1)!;
  const inRow = (top: number) =>
    cellsWithin(layout, top, top + 1, ratioAt).filter((cell) => !cell.isHeading);
  const cell = inRow(own.top).find((it) => it.index === index);
  if (!cell) return index;
  const row = inRow(own.top);
  const next = direction > 0 ? row.at(-1)!.index + 1 : row[0]!.index - 1;
  if (next < 0 || next >= total) return index;
  const middle = cell.x + cell.width / 2;
  const away = (it: Cell) => Math.abs(it.x + it.width / 2 - middle);
  return inRow(rowOf(layout, next).top).reduce((best, it) => (away(it) < away(best) ? it : best))
    .index;
}

/** The first number below `count` from which on a condition holds; `count` where it never does. */
function firstWhere(count: number, holds: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
