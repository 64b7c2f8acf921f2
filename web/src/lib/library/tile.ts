/** What a tile shows of an asset, whatever kind it is. */
import { renditionAddress } from '../api/client';
import { dateInWords } from '../date/words';
import { say, type Word } from '../words/words.svelte';
import { nameInWords } from '../path';
import type { Listed } from './listing.svelte';

/** What is dragged between pictures and collections: a JSON array of ids. */
export const DRAGGED = 'application/x-heirloom-assets';

/** Where the small picture of it is, if one was drawn. */
export function pictureOf(asset: Pick<Listed, 'id' | 'look'>): string | undefined {
  const { look } = asset;
  if (!look?.renditions.includes('grid')) return undefined;
  return renditionAddress(asset.id, 'grid', look.page);
}

/** Width by height, where that is known. */
export function ratioOf(asset: Listed | undefined): number | undefined {
  const look = asset?.look;
  return look?.width && look.height ? look.width / look.height : undefined;
}

export function titleOf(asset: { title?: string | null; name: string }): string {
  return asset.title ?? nameInWords(asset.name);
}

export function kindInWords(kind: Listed['kind']): string {
  return say(`kind_${kind}` as Word);
}

/** All that the tile is about, for those who do not see it. */
export function tileLabel(asset: Listed): string {
  return [titleOf(asset), kindInWords(asset.kind), dateInWords(asset.date)].join(', ');
}
