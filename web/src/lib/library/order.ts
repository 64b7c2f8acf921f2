/** Assets one after another, as somebody looks through them. */
import type { Asset } from '../api/client';
import type { Listed } from './listing.svelte';

export interface Neighbours {
  before?: Listed;
  after?: Listed;
}

export interface Order {
  /** What stands before and after an asset; `undefined` where it is not among these. */
  findNeighbours(id: string): Promise<Neighbours | undefined>;
  /** Takes over what is known better by now. */
  update(asset: Asset): void;
}
