import { Remote } from './remote.svelte';

/** A part of a list, and where the next begins. */
export interface Part<T> {
  items: T[];
  next?: string | null;
}

/** The most entries that the API gives at once. */
const LONGEST = 500;

/** A list that is fetched part by part as far as somebody wants to see it. */
export class Pages<T> extends Remote<Part<T>> {
  #fetch: (after: string | undefined, limit: number) => Promise<Part<T>>;
  #count: number;

  /** `count` entries are shown at first, and with each further part. */
  constructor(
    count: number,
    fetch: (after: string | undefined, limit: number) => Promise<Part<T>>
  ) {
    super();
    this.#count = count;
    this.#fetch = fetch;
  }

  get items(): T[] {
    return this.value?.items ?? [];
  }

  /** All that is shown, as it is by now. */
  again(): Promise<void> {
    const shown = Math.max(this.items.length, this.#count);
    return this.load(() => this.#fetch(undefined, Math.min(shown, LONGEST)));
  }

  /** The part that follows. */
  async more(): Promise<void> {
    const next = this.value?.next;
    if (!next) return;
    const before = this.items;
    await this.load(async () => {
      const part = await this.#fetch(next, this.#count);
      return { items: [...before, ...part.items], next: part.next };
    });
  }
}
