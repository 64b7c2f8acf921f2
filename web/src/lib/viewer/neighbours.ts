import { library, looking, type Listed } from '../library/listing.svelte';

/** How far it is looked for something in the library that was opened by its address. */
const FAR = 2000;

/** What stands before and after an asset, as far as that can be known. */
export async function findNeighbours(id: string): Promise<{ before?: Listed; after?: Listed }> {
  let { listing } = looking;
  if (!listing.items.some((item) => item.id === id)) {
    listing = library;
    looking.listing = library;
    looking.address = '/';
  }
  let at = listing.items.findIndex((item) => item.id === id);
  while (!listing.isComplete && !listing.problem && listing.items.length < FAR) {
    if (at >= 0 && at < listing.items.length - 1) break;
    if (listing.isLoading) await new Promise((resolve) => setTimeout(resolve, 50));
    else await listing.loadMore();
    at = listing.items.findIndex((item) => item.id === id);
  }
  if (at < 0) return {};
  return { before: listing.items[at - 1], after: listing.items[at + 1] };
}
