/** The lines of a page as somebody goes through them. */
import type { Claim, Reading } from '../api/client';
import { say } from '../words/words.svelte';

/** Top left, top right, bottom right and bottom left, as whoever reads it sees them, in shares of the page. */
export type Corners = number[][];
export type ReadPage = Reading['pages'][number];
type ReadLine = ReadPage['blocks'][number]['lines'][number];

/** What is less likely is marked. */
export const UNSURE = 0.8;

export interface Row extends Pick<ReadLine, 'text' | 'words' | 'correction_id' | 'instead_of'> {
  /** The same for as long as the line stands where it does. */
  key: string;
  /** None where nobody says where it stands. */
  corners?: Corners;
  /** What a correction is said of: its corners, or where it has none a mark at the edge. None in a document's own text. */
  on?: Corners;
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
      key: keyOf(line.corners ?? line.margin ?? [[block, at]]),
      corners: line.corners ?? undefined,
      on: page?.is_layer ? undefined : (line.corners ?? line.margin ?? undefined),
      isUnsure: isUnsure(line),
      isFirst: at === 0 && block > 0
    }))
  );
}

export const keyOf = (corners: Corners): string => corners.flat().join(',');

export function isUnsure(line: Pick<ReadLine, 'confidence' | 'words'>): boolean {
  return line.confidence < UNSURE || line.words.some(({ probability }) => probability < UNSURE);
}

/** What is said of a word that is not sure: what another reads there. */
export function doubtOf({ otherwise }: ReadLine['words'][number]): string {
  if (otherwise == null) return say('reading_unsure');
  return otherwise
    ? say('reading_otherwise', { words: otherwise })
    : say('reading_otherwise_nothing');
}

/** The words of a line that another reads otherwise, with what that is. */
export const doubtsOf = ({ words, correction_id }: Pick<Row, 'words' | 'correction_id'>): string =>
  correction_id
    ? ''
    : words
        .filter(({ otherwise }) => otherwise)
        .map(({ text, otherwise }) => `${otherwise} (${text})`)
        .join(', ');

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
