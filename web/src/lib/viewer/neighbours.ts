import { looking } from '../library/looking.svelte';
import type { Neighbours } from '../library/order';
import { timelineOf } from '../timeline/timeline.svelte';

/** What stands before and after an asset, in the order in which somebody looks at things. */
export async function findNeighbours(id: string): Promise<Neighbours> {
  const found = await (await looking.restore()).findNeighbours(id);
  if (found) return found;
  // It was opened by its address, or is no longer in what was found: the timeline has everything.
  const all = timelineOf('');
  if (looking.listing === all) return {};
  const among = await all.findNeighbours(id);
  if (among) {
    looking.listing = all;
    looking.address = '/';
  }
  return among ?? {};
}
