/** Pictures that there are several of, which of them to keep, and how that is taken back. */
import { Acts } from '../api/acts.svelte';
import type { Part } from '../api/pages.svelte';
import { answered, api, type Decision, type Duplicates } from '../api/client';
import { say } from '../words/words.svelte';

/** Why pictures are in one group, as pages list it. */
export const WHY = ['exact', 'near', 'burst', 'copies'] as const;

export const listDuplicates = (
  why: Duplicates['why'] | undefined,
  decided: boolean,
  after: string | undefined,
  limit: number
) =>
  answered<Part<Duplicates>>(
    api.GET('/api/v1/duplicates', { params: { query: { why, decided, after, limit } } })
  );

export const listDecisions = (after: string | undefined, limit: number) =>
  answered<Part<Decision>>(
    api.GET('/api/v1/duplicates/decisions', { params: { query: { after, limit } } })
  );

/** What was decided, as people say it. */
export function inWords({ what, asset_count: count }: Decision): string {
  return say(what === 'kept' ? 'duplicates_kept' : 'duplicates_parted', { count });
}

/** What a page decides of groups. */
export class Deciding extends Acts {
  /** Keeps one picture of a group. */
  async keep({ id }: Duplicates, asset: string): Promise<boolean> {
    const keep = api.POST('/api/v1/duplicates/{id}/keep', {
      params: { path: { id } },
      body: { asset_id: asset }
    });
    return this.make(() => answered<Decision>(keep), inWords);
  }

  /** Says that these are not the same as the others; without any, that none of the group is. */
  async part({ id }: Duplicates, assets: string[]): Promise<boolean> {
    const part = api.POST('/api/v1/duplicates/{id}/part', {
      params: { path: { id } },
      body: { asset_ids: assets }
    });
    return this.make(() => answered<Decision>(part), inWords);
  }
}
