/** Whose faces are in pictures, what is said of them, and how it is taken back. */
import { Acts } from '../api/acts.svelte';
import type { Part } from '../api/pages.svelte';
import {
  answered,
  api,
  type NewSaying,
  type Person,
  type Portrait,
  type Said
} from '../api/client';
import { say } from '../words/words.svelte';

export const listPeople = (aside: boolean, after: string | undefined, limit: number) =>
  answered<Part<Person>>(api.GET('/api/v1/people', { params: { query: { aside, after, limit } } }));

/** Names to be offered: of so many as are asked for at once. */
export async function listNames(): Promise<string[]> {
  const { items } = await listPeople(false, undefined, 500);
  return items.flatMap(({ name }) => name ?? []);
}

export const listFaces = (id: string, aside: boolean) =>
  answered<{ items: Portrait[] }>(
    api.GET('/api/v1/people/{id}/faces', { params: { path: { id }, query: { aside } } })
  );

export const listSaid = (after: string | undefined, limit: number) =>
  answered<Part<Said>>(api.GET('/api/v1/people/said', { params: { query: { after, limit } } }));

/** What was said, as people say it. */
export function inWords({ what, name, face_count: count }: Said): string {
  if (what === 'name') return say('people_said_name', { count, name: name ?? '' });
  if (what === 'not_name') return say('people_said_not', { count, name: name ?? '' });
  if (what === 'same') return say('people_said_same', { count });
  if (what === 'back') return say('people_said_back', { count });
  if (what === 'stranger' || what === 'no_face') return say('people_said_aside', { count });
  return say('people_said_apart', { count });
}

/** What a page says of faces. */
export class Saying extends Acts {
  /** Says it, and offers to take it back. */
  async say(said: Partial<NewSaying> & Pick<NewSaying, 'what'>): Promise<boolean> {
    const body = { faces: [], of: [], ...said };
    return this.make(() => answered<Said>(api.POST('/api/v1/people/said', { body })), inWords);
  }
}
