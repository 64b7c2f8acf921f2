/** What a tile shows of an asset, whatever kind it is. */
import { dateInWords } from '../date/words';
import { say, type Word } from '../words/words.svelte';
import { nameInWords } from '../path';
import type { Listed } from './listing.svelte';

/** Kinds of which pictures are drawn. */
export function hasPicture(asset: Listed): boolean {
  return asset.kind === 'image' || asset.kind === 'video';
}

/** Width by height; what has no picture gets a card that its name fits on. */
export function ratioOf(asset: Listed): number {
  if (!hasPicture(asset)) return 1.25;
  return asset.width && asset.height ? asset.width / asset.height : 1.5;
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
