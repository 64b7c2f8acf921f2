/** Whose faces are in pictures, what is said of them, and how it is taken back. */
import {
  answered,
  api,
  type NewSaying,
  type Person,
  type Portrait,
  type Said
} from '../api/client';
import { Problem } from '../api/problem';
import { tell } from '../ui/notice.svelte';
import { say } from '../words/words.svelte';

export const listPeople = (aside: boolean) =>
  answered<{ items: Person[] }>(api.GET('/api/v1/people', { params: { query: { aside } } }));

export const listFaces = (id: string, aside: boolean) =>
  answered<{ items: Portrait[] }>(
    api.GET('/api/v1/people/{id}/faces', { params: { path: { id }, query: { aside } } })
  );

export const listSaid = () => answered<{ items: Said[] }>(api.GET('/api/v1/people/said'));

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
export class Saying {
  /** Why it did not go well the last time. */
  problem = $state.raw<Problem>();
  isBusy = $state(false);
  #onchange: () => Promise<unknown>;

  /** Who shows them is told when something was said. */
  constructor(onchange: () => Promise<unknown>) {
    this.#onchange = onchange;
  }

  /** Says it, and offers to take it back. */
  async say(said: Partial<NewSaying> & Pick<NewSaying, 'what'>): Promise<boolean> {
    return this.#do(async () => {
      const body = { faces: [], ...said };
      const done = await answered<Said>(api.POST('/api/v1/people/said', { body }));
      tell(inWords(done), { words: say('undo'), run: () => void this.turn(done) });
    });
  }

  /** Takes back what holds, and holds again to what was taken back. */
  async turn({ id, is_undone }: Said): Promise<boolean> {
    const params = { params: { path: { id } } };
    return this.#do(async () => {
      await answered(
        is_undone
          ? api.POST('/api/v1/claims/{id}/redo', params)
          : api.POST('/api/v1/claims/{id}/undo', params)
      );
      tell(say(is_undone ? 'claim_saved' : 'undone'));
    });
  }

  async #do(act: () => Promise<void>): Promise<boolean> {
    this.isBusy = true;
    try {
      await act();
      this.problem = undefined;
      await this.#onchange();
      return true;
    } catch (thrown) {
      this.problem = Problem.from(thrown);
      return false;
    } finally {
      this.isBusy = false;
    }
  }
}
