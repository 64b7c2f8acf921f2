/** What somebody points at in a picture: the viewer and what stands beside it know each other by this alone. */
class Pointing {
  /** The page, from 1; none of what has no pages. */
  page = $state<number>();
  /** Left, top, width and height, as shares of the picture. */
  box = $state.raw<number[]>();
  /** All that is outlined while somebody wants to see where it is. */
  outlines = $state.raw<number[][]>([]);

  at(page: number | undefined, box: number[] | undefined): void {
    this.page = page;
    this.box = box;
  }

  /** Takes what an address says: `page=2&box=0.1,0.2,0.5,0.05`. */
  read(query: URLSearchParams): void {
    const page = Number(query.get('page'));
    const box = (query.get('box') ?? '').split(',').map(Number);
    const isBox = box.length === 4 && box.every((it) => it >= 0 && it <= 1);
    this.at(page > 0 ? page : undefined, isBox ? box : undefined);
  }
}

export const pointing = new Pointing();

/** What an address says of a place, as `read` takes it; nothing where there is none. */
export function placeInAddress(page?: number | null, box?: number[] | null): string {
  const parts = [page ? `page=${page}` : '', box ? `box=${box.join(',')}` : ''].filter(Boolean);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

/** The upright rectangle around corners: left, top, width and height. */
export function around(corners: number[][]): number[] {
  const [xs, ys] = [corners.map((it) => it[0]!), corners.map((it) => it[1]!)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}
