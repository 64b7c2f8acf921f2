/**
 * In which order somebody looks at things just now, and where the page is that shows it. The address
 * outlives a reload of the page; the order is made anew from it.
 */
import { timelineOf } from '../timeline/timeline.svelte';
import type { Order } from './order';

class Looking {
  #listing = $state.raw<Order | undefined>();
  #address = $state(kept('looking-address') ?? '/');

  /** The order; while there is none, `restore` makes it from the address. */
  get listing(): Order {
    return this.#listing ?? timelineOf('');
  }
  set listing(listing: Order) {
    this.#listing = listing;
  }

  get address(): string {
    return this.#address;
  }
  set address(address: string) {
    this.#address = address;
    keep('looking-address', address);
  }

  /** What was looked at last in the viewer; whoever shows it again takes it. */
  get seen(): string | undefined {
    return kept('looking-seen');
  }
  set seen(id: string | undefined) {
    keep('looking-seen', id);
  }

  /** The order that belongs to the address, also after a reload. */
  async restore(): Promise<Order> {
    if (this.#listing) return this.#listing;
    const address = new URL(this.#address, location.origin);
    const query = address.searchParams.get('q') ?? '';
    if (address.pathname === '/search' && query) {
      const { find } = await import('../search/finding.svelte');
      this.#listing = find(query).listing;
    } else {
      this.#listing = timelineOf(address.pathname === '/' ? query : '');
    }
    return this.#listing;
  }
}

/** What was kept for this tab, as long as it is open. */
export function kept(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keep(name: string, value: string | undefined): void {
  try {
    if (value === undefined) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // Then it holds until the page is closed.
  }
}

export const looking = new Looking();
