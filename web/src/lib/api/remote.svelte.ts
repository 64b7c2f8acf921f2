import { Problem } from './problem';

/**
 * Something that is fetched: on its way, here, or not to be had. The newest wish wins, so that a slow
 * answer to an older one never takes its place.
 */
export class Remote<T> {
  value = $state.raw<T | undefined>();
  problem = $state.raw<Problem | undefined>();
  isLoading = $state(false);
  #wish = 0;

  /** Fetches it, and keeps what is there until something better has come. */
  async load(fetch: () => Promise<T>): Promise<void> {
    const wish = ++this.#wish;
    this.isLoading = true;
    try {
      const value = await fetch();
      if (wish !== this.#wish) return;
      this.value = value;
      this.problem = undefined;
    } catch (thrown) {
      if (wish === this.#wish) this.problem = Problem.from(thrown);
    } finally {
      if (wish === this.#wish) this.isLoading = false;
    }
  }

  /** Forgets it, for something else in its place. */
  clear(): void {
    this.#wish += 1;
    this.value = undefined;
    this.problem = undefined;
    this.isLoading = false;
  }
}
