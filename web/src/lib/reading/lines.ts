/** The lines of a page as somebody goes through them. */
import type { Claim, Reading } from '../api/client';

/** Top left, top right, bottom right and bottom left, as whoever reads it sees them, in shares of the page. */
export type Corners = number[][];
export type ReadPage = Reading['pages'][number];
type ReadLine = ReadPage['blocks'][number]['lines'][number];

/** What is less likely is marked. */
export const UNSURE = 0.8;

export interface Row extends Pick<ReadLine, 'text' | 'words' | 'correction_id' | 'instead_of'> {
  /** The same for as long as the line stands where it does. */
  key: string;
  /** None in a document's own text, which says itself what it says. */
  corners?: Corners;
  isUnsure: boolean;
  /** Whether a paragraph begins with it. */
  isFirst: boolean;
  /** After which line it stands, of one that is being added. */
  after?: string;
}

export function rowsOf(page: ReadPage | undefined): Row[] {
  const blocks = page?.blocks ?? [];
  return blocks.flatMap(({ lines }, block) =>
    lines.map((line, at) => ({
      ...line,
      key: line.corners ? keyOf(line.corners) : `${block} ${at}`,
      corners: line.corners ?? undefined,
      isUnsure: isUnsure(line),
      isFirst: at === 0 && block > 0
    }))
  );
}

export const keyOf = (corners: Corners): string => corners.flat().join(',');

export function isUnsure(line: Pick<ReadLine, 'confidence' | 'words'>): boolean {
  return line.confidence < UNSURE || line.words.some(({ probability }) => probability < UNSURE);
}

/** What was ever said of this very line, the newest first. */
export function saidOf(claims: readonly Claim[], page: number, corners: Corners): Claim[] {
  const key = keyOf(corners);
  const said = claims.filter(
    ({ kind, on }) => kind === 'written' && on?.page === page && keyOf(on.corners) === key
  );
  return said.sort((a, b) => b.made_at_ms - a.made_at_ms);
}

/** Whether a claim says that nothing is written where it is about. */
export const saysNothing = ({ value, is_negation }: Claim): boolean =>
  is_negation || String(value).trim() === '';
