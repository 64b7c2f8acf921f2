/**
 * Shapes that reach across the date line, made fit for a flat map. They come as rings that jump from 180
 * degrees east to 180 west; here they go on beyond 180, and the map repeats them on its other side.
 */

type Point = number[];

/** A line that does not jump. */
export function unwrapLine(line: readonly Point[]): Point[] {
  let shift = 0;
  let before: number | undefined;
  return line.map(([longitude = 0, latitude = 0]) => {
    if (before !== undefined) {
      if (longitude + shift - before > 180) shift -= 360;
      else if (longitude + shift - before < -180) shift += 360;
    }
    before = longitude + shift;
    return [before, latitude];
  });
}

/** A ring that does not jump. What goes around the pole ends where it began, once around: it is closed there. */
export function unwrapRing(ring: readonly Point[]): Point[] {
  const open = unwrapLine(ring);
  const [first, last] = [open[0], open.at(-1)];
  if (!first || !last || Math.abs(last[0]! - first[0]!) < 180) return open;
  const pole = last[1]! < 0 ? -90 : 90;
  return [...open, [last[0]!, pole], [first[0]!, pole], first];
}
