/** What a search found; the last one stays, so that going back to it shows it as it was. */
import { answered, api } from '../api/client';
import { Listing } from '../library/listing.svelte';

interface Finding {
  query: string;
  listing: Listing;
  said: { ignored: string[]; areNames: boolean };
}
let last: Finding | undefined;

export function find(query: string): Finding {
  if (last?.query === query && !last.listing.problem) return last;
  const said = $state<Finding['said']>({ ignored: [], areNames: false });
  const listing = new Listing(async (after, limit) => {
    const asked = api.GET('/api/v1/search', { params: { query: { q: query, limit, after } } });
    const part = await answered(asked);
    said.ignored = part.ignored.map((it) => it.text);
    said.areNames = part.shown?.by === 'names';
    return part;
  });
  last = { query, listing, said };
  void listing.loadMore();
  return last;
}
