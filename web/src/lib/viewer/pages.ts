import type { AssetDetail } from '../api/client';

/** The pages of which there is a picture, in their order; none for what has no pages. */
export function pagesOf(detail: Pick<AssetDetail, 'artifacts'>): number[] {
  const pictures = detail.artifacts.filter(({ kind, part }) => kind === 'screen' && part !== '');
  const pages = pictures.map(({ part }) => Number(part)).filter(Number.isInteger);
  return [...new Set(pages)].sort((a, b) => a - b);
}
