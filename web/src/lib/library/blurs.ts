/**
 * Blurred pictures from ThumbHashes, a few in each task: decoding one takes about a third of a millisecond,
 * and many are wanted at once while somebody scrolls.
 */
import { blurOf } from '../viewer/blur';

const AT_ONCE_MS = 4;
const KEPT = 600;
const known = new Map<string, string>();
const waiting = new Map<object, { hash: string; give: (address: string) => void }>();
let isAtWork = false;

/** Gives a blurred picture now or soon; what is returned takes the wish back. */
export function wishBlur(hash: string, give: (address: string) => void): () => void {
  const here = known.get(hash);
  if (here !== undefined) {
    give(here);
    return () => {};
  }
  const wish = {};
  waiting.set(wish, { hash, give });
  if (!isAtWork) {
    isAtWork = true;
    setTimeout(work);
  }
  return () => waiting.delete(wish);
}

function work(): void {
  const end = performance.now() + AT_ONCE_MS;
  for (const [wish, { hash, give }] of waiting) {
    if (performance.now() > end) break;
    waiting.delete(wish);
    const address = known.get(hash) ?? blurOf(hash) ?? '';
    known.set(hash, address);
    if (known.size > KEPT) known.delete(known.keys().next().value!);
    give(address);
  }
  isAtWork = waiting.size > 0;
  if (isAtWork) setTimeout(work);
}
