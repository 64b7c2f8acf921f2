/** What a page does that claims something, how it went, and how it is taken back. */
import { tell } from '../ui/notice.svelte';
import { say } from '../words/words.svelte';
import { answered, api } from './client';
import { Problem } from './problem';

/** Claims that were made at once, by their id. */
export interface Undoable {
  id: string;
  is_undone: boolean;
}

export class Acts {
  /** Why it did not go well the last time. */
  problem = $state.raw<Problem>();
  isBusy = $state(false);
  #onchange: () => Promise<unknown>;

  /** Who shows it is told when something was done. */
  constructor(onchange: () => Promise<unknown>) {
    this.#onchange = onchange;
  }

  /** Does it, tells what it was, and offers to take it back; gives whether it went well. */
  async make<T extends Undoable>(
    act: () => Promise<T>,
    inWords: (done: T) => string
  ): Promise<boolean> {
    return this.#do(async () => {
      const done = await act();
      tell(inWords(done), { words: say('undo'), run: () => void this.turn(done) });
    });
  }

  /** Takes back what holds, and holds again to what was taken back. */
  async turn({ id, is_undone }: Undoable): Promise<boolean> {
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
