/**
 * The query language as chips: terms of a query taken apart and put together again (docs/search.md). The
 * server alone decides what a query means; this only has to find where a term begins and ends.
 */
export interface Term {
  /** As it stands in the query. */
  text: string;
  isDenied: boolean;
  /** `type` in `type:image`, and in `Art:Bild`. */
  field?: Field;
  /** What follows the colon, without quotation marks: `image` in both. */
  value: string;
}

export const FIELDS = [
  'type',
  'date',
  'person',
  'place',
  'camera',
  'tag',
  'archive',
  'in',
  'shows',
  'is'
] as const;
export type Field = (typeof FIELDS)[number];

/** What fields, kinds and states are called in other languages (docs/search.md). */
const OTHER_NAMES: Record<string, Field> = {
  art: 'type',
  datum: 'date',
  ort: 'place',
  kamera: 'camera',
  stichwort: 'tag',
  schlagwort: 'tag',
  archiv: 'archive',
  album: 'in',
  sammlung: 'in',
  zeigt: 'shows',
  zustand: 'is',
  ist: 'is'
};
const OTHER_VALUES: Partial<Record<Field, Record<string, string>>> = {
  type: {
    bild: 'image',
    foto: 'image',
    film: 'video',
    aufnahme: 'audio',
    ton: 'audio',
    dokument: 'document',
    datei: 'other'
  },
  date: { ohne: 'none' },
  is: { fehlt: 'missing', ersetzt: 'replaced', gelöscht: 'deleted', geloscht: 'deleted' }
};

/** The field that is called so in any language. */
export function fieldOf(name: string): Field | undefined {
  const known = name.toLowerCase();
  return FIELDS.find((field) => field === known) ?? OTHER_NAMES[known];
}

function valueOf(field: Field, value: string): string {
  const names = OTHER_VALUES[field];
  if (!names) return value;
  return value
    .split(',')
    .map((one) => names[one.trim().toLowerCase()] ?? one)
    .join(',');
}

const OPENING = '"“”„‟«»';
const isQuote = (sign: string | undefined) => sign !== undefined && OPENING.includes(sign);

/** The terms of a query, in order. */
export function splitQuery(query: string): Term[] {
  const terms: Term[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query[at]!)) {
      at += 1;
      continue;
    }
    const start = at;
    let isQuoted = false;
    while (at < query.length && (isQuoted || !/\s/.test(query[at]!))) {
      if (isQuote(query[at])) isQuoted = !isQuoted;
      at += 1;
    }
    // A space after the colon of a field does no harm.
    if (
      !isQuoted &&
      /^-?\p{L}+:$/u.test(query.slice(start, at)) &&
      fieldOf(query.slice(start, at - 1).replace(/^-/, ''))
    ) {
      let next = at;
      while (next < query.length && /\s/.test(query[next]!)) next += 1;
      if (next < query.length) {
        at = next;
        while (at < query.length && (isQuoted || !/\s/.test(query[at]!))) {
          if (isQuote(query[at])) isQuoted = !isQuoted;
          at += 1;
        }
      }
    }
    terms.push(readTerm(query.slice(start, at)));
  }
  return terms;
}

function readTerm(text: string): Term {
  const isDenied = text.startsWith('-') && text.length > 1;
  const rest = isDenied ? text.slice(1) : text;
  const colon = rest.indexOf(':');
  const field = colon > 0 ? fieldOf(rest.slice(0, colon)) : undefined;
  if (field) {
    const value = valueOf(field, unquote(rest.slice(colon + 1).trim()));
    return { text, isDenied, field, value };
  }
  return { text, isDenied, value: unquote(rest) };
}

function unquote(text: string): string {
  const isWhole = text.length > 1 && isQuote(text[0]) && isQuote(text.at(-1));
  return isWhole ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** A field with its value, as it is written in a query. */
export function writeField(field: Field, value: string): string {
  const clean = value.trim();
  const isPlain = /^[^\s"“”„‟«»]+$/.test(clean);
  return `${field}:${isPlain ? clean : `"${clean.replaceAll('"', '""')}"`}`;
}

/** The query with a term more; the same term is not there twice. */
export function addTerm(query: string, term: string): string {
  const terms = splitQuery(query).map((it) => it.text);
  return terms.includes(term) ? query.trim() : [...terms, term].join(' ');
}

/** The query without the term at this place. */
export function removeTerm(query: string, at: number): string {
  return splitQuery(query)
    .filter((_, i) => i !== at)
    .map((term) => term.text)
    .join(' ');
}
