/**
 * Assets in an order, loaded as far as somebody has looked: the whole library, newest first, or what a
 * search found. It stays while pages change, so that going back leads to where one was, and so that
 * the viewer knows what comes before and after.
 */
import { answered, api, type Asset, type Match } from '../api/client';
import { Problem } from '../api/problem';

export type Listed = Asset & { matches?: Match[] };

interface Part {
  items: Listed[];
  next?: string | null;
}

type Fetch = (after: string | undefined, limit: number) => Promise<Part>;

/** Enough for a screen at first, and few requests afterwards. */
const FIRST = 60;
const MORE = 200;

export class Listing {
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

  /** Looks whether its beginning is another by now, and begins anew if so; what is there stays meanwhile. */
  async refresh(): Promise<void> {
    if (this.isLoading) return;
    const begun = ++this.#begun;
    try {
      const part = await this.#fetch(undefined, FIRST);
      if (begun !== this.#begun) return;
      const mark = (items: readonly Listed[]) =>
        items.map((item) => `${item.id} ${item.version}`).join();
      if (mark(part.items) === mark(this.items.slice(0, FIRST))) return;
      this.items = part.items;
      this.#next = part.next ?? undefined;
      this.isComplete = !part.next;
      this.problem = undefined;
    } catch (thrown) {
      if (begun === this.#begun) this.problem = Problem.from(thrown);
    }
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

async function listLibrary(after: string | undefined, limit: number): Promise<Part> {
  return answered(api.GET('/api/v1/assets', { params: { query: { limit, after } } }));
}

/** The whole library. */
export const library = new Listing(listLibrary);

/** What stands in the order in which somebody looks at things just now. */
export const looking = $state<{ listing: Listing; address: string }>({
  listing: library,
  address: '/'
});
