/** What is in a collection, loaded as far as somebody has looked. */
import { answered, api } from '../api/client';
import { Roll } from '../library/roll.svelte';

let last: { id: string; listing: Roll } | undefined;

/** The last one stays, so that going back from a picture shows it as it was. */
export function membersOf(id: string): Roll {
  if (last?.id === id && !last.listing.problem) return last.listing;
  const listing = new Roll((after, limit) =>
    answered(
      api.GET('/api/v1/collections/{id}/assets', {
        params: { path: { id }, query: { limit, after } }
      })
    )
  );
  last = { id, listing };
  return listing;
}

/** The ids of all that is in a collection, as many as can be spoken of at once. */
export async function listMemberIds(id: string, most: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const query = { limit: Math.min(500, most - ids.length), after };
    const part = await answered(
      api.GET('/api/v1/collections/{id}/assets', { params: { path: { id }, query } })
    );
    ids.push(...part.items.map((it) => it.id));
    after = part.next ?? undefined;
  } while (after && ids.length < most);
  return ids;
}
