/** A ThumbHash as the server writes it (hexadecimal) to a picture that CSS can show. */
import { thumbHashToDataURL } from 'thumbhash';

export function blurOf(hash: unknown): string | undefined {
  if (typeof hash !== 'string' || !/^(?:[0-9a-f]{2}){5,64}$/.test(hash)) return undefined;
  const bytes = hash.match(/../g)!.map((pair) => parseInt(pair, 16));
  return thumbHashToDataURL(bytes);
}
