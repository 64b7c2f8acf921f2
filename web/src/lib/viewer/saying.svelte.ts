/** Saying something about an asset, and taking it back: what panels do with claims. */
import { answered, api, type Claim } from '../api/client';
import { Problem } from '../api/problem';
import { tell } from '../ui/notice.svelte';
import { say } from '../words/words.svelte';

/** What somebody says. */
export type Said = Pick<Claim, 'kind' | 'value'> &
  Partial<Pick<Claim, 'at' | 'on' | 'is_negation' | 'source'>>;

export class Saying {
  /** Why it did not go well the last time. */
  problem = $state.raw<Problem>();
  #asset: () => string;
  #onchange: () => Promise<void>;

  /** About this asset; who shows it is told when it was changed. */
  constructor(asset: () => string, onchange: () => Promise<void>) {
    this.#asset = asset;
    this.#onchange = onchange;
  }

  /** Does something with claims, shows what came of it, says so, and offers to take it back. */
  async change(
    words: string,
    act: () => Promise<Claim[]>,
    undo: (claim: Claim) => Promise<unknown>
  ): Promise<void> {
    try {
      const claims = await act();
      this.problem = undefined;
      await this.#onchange();
      tell(words, {
        words: say('undo'),
        run: () => void this.change(say('undone'), () => each(claims, undo), this.redo)
      });
    } catch (thrown) {
      this.problem = Problem.from(thrown);
    }
  }

  /** Says this, one after the other. */
  say(words: string, said: Said[]): Promise<void> {
    const make = async () => {
      const claims: Claim[] = [];
      for (const one of said) claims.push(await this.make(one));
      return claims;
    };
    return this.change(words, make, this.undo);
  }

  takeBack(claim: Claim): Promise<void> {
    return this.change(say('undone'), () => each([claim], this.undo), this.redo);
  }

  holdAgain(claim: Claim): Promise<void> {
    return this.change(say('claim_saved'), () => each([claim], this.redo), this.undo);
  }

  make({ kind, value, at, on, is_negation = false, source = '' }: Said): Promise<Claim> {
    return answered(
      api.POST('/api/v1/assets/{id}/claims', {
        params: { path: { id: this.#asset() }, header: { 'idempotency-key': crypto.randomUUID() } },
        body: {
          kind,
          value,
          is_negation,
          source,
          confidence: 1,
          ...(at && { at }),
          ...(on && { on })
        }
      })
    );
  }

  undo = (claim: Claim): Promise<Claim> =>
    answered(api.POST('/api/v1/assets/{id}/claims/{claim_id}/undo', this.#path(claim)));

  redo = (claim: Claim): Promise<Claim> =>
    answered(api.POST('/api/v1/assets/{id}/claims/{claim_id}/redo', this.#path(claim)));

  #path(claim: Claim) {
    return { params: { path: { id: this.#asset(), claim_id: claim.id } } };
  }
}

async function each(claims: Claim[], act: (claim: Claim) => Promise<unknown>): Promise<Claim[]> {
  for (const claim of claims) await act(claim);
  return claims;
}
