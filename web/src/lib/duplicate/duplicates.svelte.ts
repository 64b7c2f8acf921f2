/** Pictures that there are several of, which of them to keep, and how that is taken back. */
import { Acts } from '../api/acts.svelte';
import { answered, api, type Decision, type Duplicates } from '../api/client';
import { say } from '../words/words.svelte';

/** Why pictures are in one group, as pages list it. */
export const WHY = ['exact', 'near', 'burst', 'copies'] as const;

/** So many groups are shown at once. */
const SHOWN = 20;

export interface Part {
  items: Duplicates[];
  next?: string | null;
}

export function listDuplicates(
  why: Duplicates['why'] | undefined,
  decided: boolean,
  after?: string,
  limit = SHOWN
): Promise<Part> {
  const query = { why, decided, after, limit: Math.min(limit, 500) };
  return answered<Part>(api.GET('/api/v1/duplicates', { params: { query } }));
}

export const listDecisions = () =>
  answered<{ items: Decision[] }>(api.GET('/api/v1/duplicates/decisions'));

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
