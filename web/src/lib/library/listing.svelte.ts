/**
 * Assets in an order, loaded as far as somebody has looked, such as what a search found. It stays while pages
 * change, so that going back leads to where one was, and so that the viewer knows what comes before
 * and after.
 */
import type { Asset, Match } from '../api/client';
import { Problem } from '../api/problem';
import type { Neighbours, Order } from './order';

export type Listed = Asset & { matches?: Match[] };

interface Part {
  items: Listed[];
  next?: string | null;
}

export type Fetch = (after: string | undefined, limit: number) => Promise<Part>;

/** Enough for a screen at first, and few requests afterwards. */
const FIRST = 60;
const MORE = 200;
/** How far it is looked for something that was opened by its address. */
const FAR = 2000;

export class Listing implements Order {
  items = $state.raw<Listed[]>([]);
  isLoading = $state(false);
  isComplete = $state(false);
  problem = $state.raw<Problem | undefined>();
  /** Where one was in it, in pixels from its top. */
  scrollTop = 0;
  #next: string | undefined;
  #fetch: Fetch;
  #begun = 0;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** Whether anything was asked yet. */
  get isFresh(): boolean {
    return this.items.length === 0 && !this.isComplete && !this.isLoading && !this.problem;
  }

  /** Loads the part that follows. */
  async loadMore(): Promise<void> {
    if (this.isLoading || this.isComplete) return;
    const begun = this.#begun;
    this.isLoading = true;
    this.problem = undefined;
    try {
      const part = await this.#fetch(this.#next, this.items.length === 0 ? FIRST : MORE);
      if (begun !== this.#begun) return;
      this.items = [...this.items, ...part.items];
      this.#next = part.next ?? undefined;
      this.isComplete = !part.next;
    } catch (thrown) {
      if (begun === this.#begun) this.problem = Problem.from(thrown);
    } finally {
      if (begun === this.#begun) this.isLoading = false;
    }
  }

  /** Begins anew, because something was added or changed. */
  async reload(): Promise<void> {
    this.#begun += 1;
    this.isLoading = false;
    this.isComplete = false;
    this.problem = undefined;
    this.#next = undefined;
    this.items = [];
    await this.loadMore();
  }

  async findNeighbours(id: string): Promise<Neighbours | undefined> {
    const find = () => this.items.findIndex((item) => item.id === id);
    let at = find();
    while (!this.isComplete && !this.problem && this.items.length < FAR) {
      if (at >= 0 && at < this.items.length - 1) break;
      if (this.isLoading) await new Promise((resolve) => setTimeout(resolve, 50));
      else await this.loadMore();
      at = find();
    }
    return at < 0 ? undefined : { before: this.items[at - 1], after: this.items[at + 1] };
  }

  /** Takes over what is known better by now. */
  update(asset: Asset): void {
    const at = this.items.findIndex((item) => item.id === asset.id);
    if (at < 0) return;
    const items = [...this.items];
    if (asset.deleted_at_ms) items.splice(at, 1);
    else items[at] = { ...items[at], ...asset };
    this.items = items;
  }
}
