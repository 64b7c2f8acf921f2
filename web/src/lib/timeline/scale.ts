/**
 * A page that is taller than a browser can scroll: it has a height that browsers can, and what is shown of
 * it is shifted. Small steps go one to one, so that scrolling feels as it does everywhere; leaps (scroll bar,
 * End key) are mapped over the whole. When scrolling rests, the shift is set anew, so that both ends stay
 * within reach. Near its ends the mapping is one to one by itself. Pure.
 */
export interface Scale {
  /** How high everything is. */
  whole: number;
  /** How high the page is. */
  page: number;
}

/** What browsers are safe with, in pixels of CSS. */
const MOST = 8_000_000;
/** Where browsers end, in pixels of the device. */
const MOST_DEVICE = 16_000_000;
/** How much at each end is mapped one to one. */
const END = 200_000;

/** The scale for something of this height on a screen with so many pixels to one of CSS. */
export function scaleFor(whole: number, deviceRatio: number): Scale {
  const most = Math.min(MOST, MOST_DEVICE / Math.max(deviceRatio, 1));
  return { whole, page: Math.min(whole, most) };
}

/** What stands at a height of the page, if it is mapped over the whole. */
export function toWhole({ whole, page }: Scale, at: number): number {
  if (whole <= page || at <= END) return at;
  if (at >= page - END) return whole - (page - at);
  return END + ((at - END) * (whole - 2 * END)) / (page - 2 * END);
}

/** Where on the page something stands, if it is mapped over the whole. */
export function toPage({ whole, page }: Scale, at: number): number {
  if (whole <= page || at <= END) return at;
  if (at >= whole - END) return page - (whole - at);
  return END + ((at - END) * (page - 2 * END)) / (whole - 2 * END);
}

/** How far scrolling has come: the place on the page, and what is added to get the place in the whole. */
export interface Position {
  at: number;
  shift: number;
}

/** After the page was scrolled to another place. A step of more than `leap` pixels is mapped over the whole. */
export function scrolled(scale: Scale, before: Position, at: number, leap: number): Position {
  if (scale.whole <= scale.page) return { at, shift: 0 };
  if (Math.abs(at - before.at) > leap) return { at, shift: toWhole(scale, at) - at };
  return { at, shift: before.shift };
}

/** Where to scroll so that a place in the whole is shown. */
export function placed(scale: Scale, top: number): Position {
  const at = Math.round(toPage(scale, top));
  return { at, shift: scale.whole <= scale.page ? 0 : top - at };
}

/** When scrolling rests: the same place in the whole, where it belongs on the page. */
export function rested(scale: Scale, { at, shift }: Position): Position {
  return placed(scale, at + shift);
}
