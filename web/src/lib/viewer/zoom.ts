/** How a picture is zoomed and moved: pure, so that it can be tried without a screen. */
export interface View {
  /** 1 shows the whole picture. */
  scale: number;
  /** How far its middle is from the middle of the frame, in pixels. */
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 };
const MOST = 8;

/** Zooms around a point, given from the middle of the frame: what is there stays there. */
export function zoomAt(
  view: View,
  factor: number,
  x: number,
  y: number,
  frame: Size,
  picture: Size
): View {
  const scale = Math.min(Math.max(view.scale * factor, 1), MOST);
  const by = scale / view.scale;
  return hold({ scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by }, frame, picture);
}

export function moveBy(view: View, dx: number, dy: number, frame: Size, picture: Size): View {
  return hold({ ...view, x: view.x + dx, y: view.y + dy }, frame, picture);
}

/** Keeps the picture in its frame: it can be moved only as far as it is larger than that. */
function hold(view: View, frame: Size, picture: Size): View {
  const spare = (of: 'width' | 'height') => Math.max(0, (picture[of] * view.scale - frame[of]) / 2);
  const within = (value: number, most: number) => Math.min(Math.max(value, -most), most) || 0;
  return {
    scale: view.scale,
    x: within(view.x, spare('width')),
    y: within(view.y, spare('height'))
  };
}
