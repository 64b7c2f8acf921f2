/**
 * What was chosen among many: by a tap each, or from one place to another, whether what is between was loaded
 * or not. Places are those in an order, the first is 0; what is chosen are the ids.
 */
import { Problem } from '../api/problem';

/** More at once is more than anybody can mean, and than a server should be asked for. */
export const MOST = 20_000;

/** Gives the ids from one place until before another. */
export type ListIds = (from: number, until: number, signal: AbortSignal) => Promise<string[]>;

export class Selection {
  /** Whether taps choose. */
  isOn = $state(false);
  ids = $state.raw<ReadonlySet<string>>(new Set());
  /** Whether ids of a range are on their way. */
  isGathering = $state(false);
  /** Whether a range was longer than `MOST`, and was not taken. */
  isTooLong = $state(false);
  problem = $state.raw<Problem | undefined>();
  #list: ListIds;
  /** From where a range reaches, and what was chosen before it. */
  #from: { at: number; base: ReadonlySet<string> } | undefined;
  #abort: AbortController | undefined;

  constructor(list: ListIds) {
    this.#list = list;
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  begin(): void {
    this.isOn = true;
  }

  /** Nothing is chosen, and taps open again. */
  end(): void {
    this.#abort?.abort();
    this.isOn = this.isGathering = this.isTooLong = false;
    this.ids = new Set();
    this.#from = undefined;
    this.problem = undefined;
  }

  /** Chooses one or no longer; a range reaches from here. */
  toggle(id: string, at: number): void {
    this.#abort?.abort();
    this.isOn = true;
    this.isTooLong = this.isGathering = false;
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    this.ids = ids;
    this.#from = { at, base: ids };
  }

  /** Chooses everything from where the range begins to this place, and no longer what it reached before. */
  async extendTo(at: number, beginning = at): Promise<void> {
    this.#abort?.abort();
    this.isOn = true;
    this.#from ??= { at: beginning, base: this.ids };
    const { at: from, base } = this.#from;
    const [first, last] = [Math.min(from, at), Math.max(from, at)];
    this.isTooLong = last - first >= MOST;
    this.isGathering = false;
    if (this.isTooLong) return;
    const abort = (this.#abort = new AbortController());
    this.isGathering = true;
    try {
      const ids = await this.#list(first, last + 1, abort.signal);
      if (abort.signal.aborted) return;
      this.ids = new Set([...base, ...ids]);
      this.problem = undefined;
    } catch (thrown) {
      if (!abort.signal.aborted) this.problem = Problem.from(thrown);
    } finally {
      if (!abort.signal.aborted) this.isGathering = false;
    }
  }
}
