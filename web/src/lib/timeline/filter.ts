/** Filters of the timeline, written as a query and read from one. What else a query says stays in it. */
import { splitQuery, writeField } from '../search/query';

export const KINDS = ['image', 'video', 'audio', 'document', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export interface Filter {
  /** None means all. */
  kinds: Kind[];
  archive: string;
  camera: string;
  place: string;
  /** The terms that are none of these. */
  rest: string[];
}

export function readFilter(query: string): Filter {
  const filter: Filter = { kinds: [], archive: '', camera: '', place: '', rest: [] };
  for (const term of splitQuery(query)) {
    const { field, value, isDenied, text } = term;
    if (!isDenied && field === 'type' && filter.kinds.length === 0) {
      const named = value.toLowerCase().split(',');
      const kinds = KINDS.filter((kind) => named.includes(kind));
      if (kinds.length === named.length) {
        filter.kinds = kinds;
        continue;
      }
    }
    const isOne = field === 'archive' || field === 'camera' || field === 'place';
    if (isOne && !isDenied && filter[field] === '') filter[field] = value;
    else filter.rest.push(text);
  }
  return filter;
}

export function writeFilter({ kinds, rest, ...fields }: Filter): string {
  const terms: string[] = [];
  if (kinds.length > 0 && kinds.length < KINDS.length) terms.push(`type:${kinds.join(',')}`);
  for (const field of ['archive', 'camera', 'place'] as const) {
    if (fields[field].trim() !== '') terms.push(writeField(field, fields[field]));
  }
  return [...terms, ...rest].join(' ');
}
