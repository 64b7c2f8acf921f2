/**
 * Assets in an order of their own, such as those of an album: loaded as far as somebody has looked, and of
 * that only what is near is kept. What was let go of is fetched again when it is wanted. It stays while pages
 * change, so that going back leads to where one was.
 */
import type { Asset } from '../api/client';
import { Problem } from '../api/problem';
import type { Fetch, Listed } from './listing.svelte';
import type { Neighbours, Order } from './order';

const PART = 100;
/** The most that are asked for at once. */
const LARGEST = 500;
/** How many parts are kept: more than a few screens show. */
const KEPT = 8;
/** How far it is looked for something that was opened by its address. */
const FAR = 2000;

interface Part {
  /** Where the list goes on with this part. */
  after: string | undefined;
  count: number;
  /** Nothing where it was let go of. */
  items?: Listed[];
  coming?: Promise<void>;
}

export class Roll implements Order {
  /** How many are known of: all that there are once it is complete. */
  count = $state(0);
  /** Rises whenever something came or changed. */
  version = $state(0);
  isLoading = $state(false);
  isComplete = $state(false);
  problem = $state.raw<Problem | undefined>();
  /** Where one was in it, in pixels from its top. */
  scrollTop = 0;
  #parts: Part[] = [];
  #next: string | undefined;
  #fetch: Fetch;
  #begun = 0;
  /** Whether nothing is let go of any more. */
  #isWhole = false;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** Whether anything was asked yet. */
  get isFresh(): boolean {
    return this.count === 0 && !this.isComplete && !this.isLoading && !this.problem;
  }

  /** Those that are here. */
  get items(): Listed[] {
    void this.version;
    return this.#parts.flatMap((part) => part.items ?? []);
  }

  /** What is at a place, if it is here. */
  itemAt(index: number): Listed | undefined {
    void this.version;
    const [part, at] = this.#split(index);
    return part?.items?.[at];
  }

  /** The part in which a place is, and the place within it. */
  #split(index: number): [Part | undefined, number] {
    let start = 0;
    for (const part of this.#parts) {
      if (index < start + part.count) return [part, index - start];
      start += part.count;
    }
    return [undefined, 0];
  }

  /** Goes on to the end. What is passed on the way is let go of, and fetched again when it is wanted. */
  async reachEnd(): Promise<void> {
    while (!this.isComplete && !this.problem) {
      if (this.isLoading) await new Promise((resolve) => setTimeout(resolve, 50));
      else await this.loadMore(LARGEST);
    }
  }

  /** Loads the part that follows. */
  async loadMore(limit = PART): Promise<void> {
    if (this.isLoading || this.isComplete) return;
    const begun = this.#begun;
    const after = this.#next;
    this.isLoading = true;
    this.problem = undefined;
    try {
      const { items, next } = await this.#fetch(after, limit);
      if (begun !== this.#begun) return;
      this.#parts.push({ after, count: items.length, items });
      this.count += items.length;
      this.#next = next ?? undefined;
      this.isComplete = !next;
      this.version += 1;
    } catch (thrown) {
      if (begun === this.#begun) this.problem = Problem.from(thrown);
    } finally {
      if (begun === this.#begun) this.isLoading = false;
    }
  }

  /** Begins anew, because something was added or changed. */
  async reload(): Promise<void> {
    this.#begun += 1;
    this.isLoading = this.isComplete = this.#isWhole = false;
    this.problem = this.#next = undefined;
    this.#parts = [];
    this.count = 0;
    this.version += 1;
    await this.loadMore();
  }

  /** Fetches what is between two places, and lets go of what is far from them. */
  want(from: number, until: number): void {
    let start = 0;
    const wanted: Part[] = [];
    for (const part of this.#parts) {
      if (start < until && start + part.count > from) wanted.push(part);
      start += part.count;
    }
    for (const part of wanted) void this.#bring(part);
    if (until >= this.count && !this.problem) void this.loadMore();
    if (this.#isWhole) return;
    // The farthest first: it is the last that will be wanted again.
    const first = this.#parts.indexOf(wanted[0]!);
    const far = (part: Part) => Math.abs(this.#parts.indexOf(part) - first);
    const held = this.#parts.filter((part) => part.items && !wanted.includes(part));
    held.sort((a, b) => far(b) - far(a));
    for (const part of held.slice(0, Math.max(0, held.length + wanted.length - KEPT)))
      part.items = undefined;
  }

  /** Fetches a part that was let go of. */
  async #bring(part: Part): Promise<void> {
    if (part.items || part.count === 0) return;
    part.coming ??= this.#fetchAgain(part).finally(() => (part.coming = undefined));
    await part.coming;
  }

  async #fetchAgain(part: Part): Promise<void> {
    const begun = this.#begun;
    try {
      const { items } = await this.#fetch(part.after, part.count);
      if (begun !== this.#begun) return;
      this.count += items.length - part.count;
      part.items = items;
      part.count = items.length;
      this.version += 1;
    } catch (thrown) {
      if (begun === this.#begun) this.problem = Problem.from(thrown);
    }
  }

  /** Has everything here that is known of, and keeps it: somebody puts it in another order. */
  async hold(): Promise<void> {
    this.#isWhole = true;
    for (const part of [...this.#parts]) await this.#bring(part);
  }

  /** Takes over another order of all that is here; only after `hold`. */
  arrange(items: Listed[]): void {
    this.#parts = [{ after: undefined, count: items.length, items }];
    this.count = items.length;
    this.version += 1;
  }

  /** Forgets one that is no longer among these. */
  drop(id: string): void {
    for (const part of this.#parts) {
      const items = part.items?.filter((item) => item.id !== id);
      if (!items || items.length === part.items!.length) continue;
      part.items = items;
      part.count -= 1;
      this.count -= 1;
      this.version += 1;
      return;
    }
  }

  #find(id: string): number {
    let start = 0;
    for (const part of this.#parts) {
      const at = part.items?.findIndex((item) => item.id === id) ?? -1;
      if (at >= 0) return start + at;
      start += part.count;
    }
    return -1;
  }

  async findNeighbours(id: string): Promise<Neighbours | undefined> {
    let at = this.#find(id);
    while (
      !this.isComplete &&
      !this.problem &&
      (at < 0 ? this.count < FAR : at === this.count - 1)
    ) {
      if (this.isLoading) await new Promise((resolve) => setTimeout(resolve, 50));
      else await this.loadMore();
      at = this.#find(id);
    }
    if (at < 0) return undefined;
    const [before, after] = [this.#split(at - 1)[0], this.#split(at + 1)[0]];
    for (const part of [before, after]) if (part) await this.#bring(part);
    return { before: this.itemAt(at - 1), after: this.itemAt(at + 1) };
  }

  /** Takes over what is known better by now. */
  update(asset: Asset): void {
    if (asset.deleted_at_ms) {
      this.drop(asset.id);
      return;
    }
    for (const part of this.#parts) {
      const at = part.items?.findIndex((item) => item.id === asset.id) ?? -1;
      if (at < 0) continue;
      part.items = part.items!.with(at, { ...part.items![at]!, ...asset });
      this.version += 1;
      return;
    }
  }
}
