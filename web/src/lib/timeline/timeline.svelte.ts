/**
 * The assets of a query in the order of time: how many there are in each bucket, and of those that somebody
 * looks at, what they are. Pictures are named by their place among all, the newest first. It stays
 * while pages change, so that going back leads to where one was.
 */
import { answered, api, type Asset } from '../api/client';
import { Problem } from '../api/problem';
import type { Listed } from '../library/listing.svelte';
import type { Neighbours, Order } from '../library/order';
import type { Bucket } from './bucket';

/** What is asked for at once, and how many such parts are kept. */
const PART = 60;
const KEPT = 120;
/** What is asked for together with the counts, so that the first look waits for one answer. */
const EARLY = 30;
/** What is asked for at once when the ids of many are wanted. */
const MANY = 500;

/** A place in the timeline that outlives changes of it: so many pixels into the row of a picture. */
export interface Place {
  bucket: string;
  offset: number;
  pixels: number;
}

interface Part {
  items?: Listed[];
  /** Whether only the first of them are here. */
  isCut?: boolean;
  /** What it is asked for with: others of the same request have the same. */
  abort: AbortController;
  coming?: Promise<void>;
}

export class Timeline implements Order {
  readonly query: string;
  buckets = $state.raw<Bucket[]>([]);
  count = $state(0);
  isLoading = $state(false);
  isHere = $state(false);
  problem = $state.raw<Problem | undefined>();
  /** Rises whenever something came that was waited for. */
  version = $state(0);
  place: Place | undefined;
  /** Of each bucket the place of its first picture among all. */
  #starts: number[] = [];
  #indexes = new Map<string, number>();
  #parts = new Map<string, Part>();
  #loading = 0;
  /** Whether what is kept may be another by now. */
  #isOld = false;

  constructor(query: string) {
    this.query = query;
  }

  /** Fetches how much there is; what is shown stays until that is here. */
  async load(): Promise<void> {
    const wish = ++this.#loading;
    this.isLoading = true;
    try {
      const asked = api.GET('/api/v1/timeline', { params: { query: { q: this.#q } } });
      const early = this.isHere || this.query ? undefined : this.#fetchEarly();
      const [{ buckets, count }, items] = await Promise.all([answered(asked), early]);
      if (wish !== this.#loading) return;
      this.problem = undefined;
      this.#take(buckets, count);
      if (items) this.#sow(items);
      this.isHere = true;
    } catch (thrown) {
      if (wish === this.#loading) this.problem = Problem.from(thrown);
    } finally {
      if (wish === this.#loading) this.isLoading = false;
    }
  }

  /** The first of everything; without them each bucket is asked for by itself. */
  async #fetchEarly(): Promise<Listed[] | undefined> {
    const asked = api.GET('/api/v1/assets', { params: { query: { limit: EARLY } } });
    return answered(asked).then(
      (page) => page.items,
      () => undefined
    );
  }

  /** Spreads the first of everything over their buckets. */
  #sow(items: Listed[]): void {
    let at = 0;
    for (const { bucket, count } of this.buckets) {
      const some = items.slice(at, at + Math.min(count, PART));
      if (some.length === 0) return;
      const isCut = some.length < Math.min(count, PART);
      this.#parts.set(keyOf(bucket, 0), { items: some, isCut, abort: new AbortController() });
      // What is left of a large bucket comes by itself, and with it all that is behind it.
      if (count > PART) return;
      at += count;
    }
  }

  /** After something was changed: everything is asked for anew. */
  async reload(): Promise<void> {
    this.#isOld = true;
    await this.load();
  }

  get #q(): string | undefined {
    return this.query || undefined;
  }

  #take(buckets: Bucket[], count: number): void {
    const before = new Map(this.buckets.map((it) => [it.bucket, it.count]));
    const isSame =
      buckets.length === before.size && buckets.every((it) => before.get(it.bucket) === it.count);
    if (isSame && !this.#isOld) return;
    for (const [key, part] of this.#parts) {
      const [bucket] = splitKey(key);
      const now = buckets.find((it) => it.bucket === bucket);
      if (this.#isOld || now?.count !== before.get(bucket)) {
        part.abort.abort();
        this.#parts.delete(key);
      }
    }
    this.#isOld = false;
    let start = 0;
    this.#starts = buckets.map((it) => (start += it.count) - it.count);
    this.#indexes = new Map(buckets.map((it, at) => [it.bucket, at]));
    this.buckets = buckets;
    this.count = count;
    this.version += 1;
  }

  /** The bucket of a picture, as its place among the buckets, and how many of it come before. */
  #split(index: number): [number, number] {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return [low, index - (this.#starts[low] ?? 0)];
  }

  /** The place of a picture by its bucket, where there is such a one. */
  indexOf(bucket: string, offset: number): number | undefined {
    const at = this.#indexes.get(bucket);
    if (at === undefined) return undefined;
    return this.#starts[at]! + Math.min(offset, Math.max(0, this.buckets[at]!.count - 1));
  }

  /** The same the other way round. */
  placeOf(index: number, pixels: number): Place | undefined {
    const [at, offset] = this.#split(index);
    const bucket = this.buckets[at]?.bucket;
    return bucket === undefined ? undefined : { bucket, offset, pixels };
  }

  /** What is at a place among all, if it is here. */
  itemAt(index: number): Listed | undefined {
    if (index < 0 || index >= this.count) return undefined;
    const [at, offset] = this.#split(index);
    const part = this.#parts.get(keyOf(this.buckets[at]!.bucket, offset));
    return part?.items?.[offset % PART];
  }

  /** Where something stands that is here. */
  find(id: string): number | undefined {
    for (const [key, { items }] of this.#parts) {
      const at = items?.findIndex((item) => item.id === id) ?? -1;
      if (at < 0) continue;
      const [bucket, offset] = splitKey(key);
      return this.indexOf(bucket, offset + at);
    }
    return undefined;
  }

  /**
   * Fetches what is between two places, and gives up what is on its way and no longer wanted. What is
   * asked for first comes first.
   */
  want(from: number, until: number, first = from): void {
    const wanted = new Set<string>();
    const add = (index: number) => {
      const [at, offset] = this.#split(index);
      const bucket = this.buckets[at];
      if (!bucket) return index + 1;
      wanted.add(keyOf(bucket.bucket, offset));
      const next = (Math.floor(offset / PART) + 1) * PART;
      return this.#starts[at]! + Math.min(next, bucket.count);
    };
    const end = Math.min(until, this.count);
    for (let at = Math.max(first, 0); at < end;) at = add(at);
    for (let at = Math.max(from, 0); at < Math.min(first, end);) at = add(at);
    const needed = new Set([...wanted].map((key) => this.#parts.get(key)?.abort));
    for (const [key, part] of this.#parts) {
      // What comes together is given up together.
      if (part.items || needed.has(part.abort)) continue;
      part.abort.abort();
      this.#parts.delete(key);
    }
    this.#fetchAll([...wanted]);
  }

  /** Fetches parts that are not here: those of buckets that follow one another, as many at once as fill one part. */
  #fetchAll(keys: string[]): void {
    let together: string[] = [];
    let [size, next] = [0, -1];
    const send = () => {
      if (together.length > 0) void this.#request(together, size);
      [together, size] = [[], 0];
    };
    for (const key of keys) {
      const part = this.#parts.get(key);
      if (part && !part.isCut) {
        // What was used last is thrown away last.
        this.#parts.delete(key);
        this.#parts.set(key, part);
        continue;
      }
      const { start, count } = this.#reach(key);
      if (start !== next || size + count > PART) send();
      together.push(key);
      size += count;
      next = start + count;
    }
    send();
  }

  /** Where a part begins among all, and how many it has. */
  #reach(key: string): { start: number; count: number } {
    const [bucket, offset] = splitKey(key);
    const at = this.#indexes.get(bucket);
    if (at === undefined) return { start: 0, count: PART };
    const count = Math.min(PART, this.buckets[at]!.count - offset);
    return { start: this.#starts[at]! + offset, count };
  }

  /** Asks for parts of buckets that follow one another. */
  #request(keys: string[], limit: number): Promise<void> {
    const abort = new AbortController();
    const parts = new Map<string, Part>();
    for (const key of keys) {
      const part: Part = { items: this.#parts.get(key)?.items, abort };
      parts.set(key, part);
      this.#parts.set(key, part);
    }
    const isMine = (key: string) => this.#parts.get(key) === parts.get(key);
    const coming = (async () => {
      const [bucket, offset] = splitKey(keys[0]!);
      try {
        const most = keys.length > 1 ? limit : PART;
        const found = await this.#list(bucket, offset, most, keys.length > 1, abort.signal);
        let at = 0;
        for (const [key, part] of parts) {
          // By what the answer says of itself: the counts may be older than it is.
          const count = found.counts.get(splitKey(key)[0]) ?? 0;
          part.items = found.items.slice(at, at + count);
          at += count;
          part.isCut = found.items.length === most && count < this.#reach(key).count;
        }
        this.problem = undefined;
        this.version += 1;
        this.#forget();
      } catch (thrown) {
        const lost = keys.filter(isMine);
        for (const key of lost) this.#parts.delete(key);
        if (lost.length > 0 && !abort.signal.aborted) this.problem = Problem.from(thrown);
      }
    })();
    for (const part of parts.values()) part.coming = coming;
    return coming;
  }

  /** Fetches a part, unless it is here, and waits for it. */
  async #fetch(key: string): Promise<Part | undefined> {
    this.#fetchAll([key]);
    await this.#parts.get(key)?.coming;
    return this.#parts.get(key);
  }

  /** What of a bucket comes from a place on, and of those behind it if it is to run on. */
  async #list(
    bucket: string,
    offset: number,
    limit: number,
    run_on: boolean,
    signal?: AbortSignal
  ): Promise<{ items: Listed[]; counts: Map<string, number> }> {
    const query = { q: this.#q, offset, limit, run_on: run_on || undefined };
    const asked = api.GET('/api/v1/timeline/{bucket}', {
      params: { path: { bucket }, query },
      signal
    });
    const { items, buckets = [] } = await answered(asked);
    return { items, counts: new Map(buckets.map((it) => [it.bucket, it.count])) };
  }

  #forget(): void {
    for (const [key, part] of this.#parts) {
      if (this.#parts.size <= KEPT) return;
      if (part.items) this.#parts.delete(key);
    }
  }

  /**
   * Everything between two places, whether it is here or not.
   *
   * @throws {Problem} when it cannot be had.
   */
  async listBetween(from: number, until: number, signal?: AbortSignal): Promise<Listed[]> {
    const items: Listed[] = [];
    let index = Math.max(0, from);
    const end = Math.min(until, this.count);
    while (index < end && !signal?.aborted) {
      const here = this.itemAt(index);
      if (here) {
        items.push(here);
        index += 1;
        continue;
      }
      const [at, offset] = this.#split(index);
      const limit = Math.min(MANY, end - index);
      const { items: some } = await this.#list(
        this.buckets[at]!.bucket,
        offset,
        limit,
        true,
        signal
      );
      if (some.length === 0) break;
      items.push(...some);
      index += some.length;
    }
    return items;
  }

  /** Where something stands, if it is in this timeline at all. */
  async locate(id: string): Promise<number | undefined> {
    const here = this.find(id);
    if (here !== undefined) return here;
    if (!this.isHere) await this.load();
    try {
      const query = { asset: id, q: this.#q };
      const asked = api.GET('/api/v1/timeline/position', { params: { query } });
      const { bucket, offset } = await answered(asked);
      return bucket == null ? undefined : this.indexOf(bucket, offset ?? 0);
    } catch (thrown) {
      if (Problem.from(thrown).status === 404) return undefined;
      throw thrown;
    }
  }

  async findNeighbours(id: string): Promise<Neighbours | undefined> {
    const index = await this.locate(id);
    if (index === undefined) return undefined;
    const at = async (place: number): Promise<Listed | undefined> => {
      if (place < 0 || place >= this.count) return undefined;
      const [bucket, offset] = this.#split(place);
      const part = await this.#fetch(keyOf(this.buckets[bucket]!.bucket, offset));
      return part?.items?.[offset % PART] ?? (await this.listBetween(place, place + 1))[0];
    };
    const [before, after] = await Promise.all([at(index - 1), at(index + 1)]);
    return { before, after };
  }

  update(asset: Asset): void {
    for (const [key, part] of this.#parts) {
      const at = part.items?.findIndex((item) => item.id === asset.id) ?? -1;
      if (at < 0) continue;
      const before = part.items![at]!;
      // It may stand elsewhere by now, and with it everything behind it.
      if (before.date !== asset.date || asset.deleted_at_ms) this.#isOld = true;
      const items = [...part.items!];
      items[at] = { ...before, ...asset };
      this.#parts.set(key, { ...part, items });
      this.version += 1;
      return;
    }
  }
}

function keyOf(bucket: string, offset: number): string {
  return `${Math.floor(offset / PART)} ${bucket}`;
}

/** The bucket of a part, and how many of it come before. */
function splitKey(key: string): [string, number] {
  const cut = key.indexOf(' ');
  return [key.slice(cut + 1), Number(key.slice(0, cut)) * PART];
}

/** Those that were looked at last; the newest at the end. */
let last: Timeline[] = [];

/** The timeline of a query, as it was left. */
export function timelineOf(query: string): Timeline {
  const known = last.find((it) => it.query === query) ?? new Timeline(query);
  last = [...last.filter((it) => it !== known), known].slice(-3);
  return known;
}

/** After something was added: every timeline is another by now. */
export async function renewTimelines(): Promise<void> {
  await Promise.all(last.filter((it) => it.isHere).map((it) => it.reload()));
}
