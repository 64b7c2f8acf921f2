/** Dates as people say them: "about 1950", "summer 1963", "1942 to 1945". */
import { locale, say, type Word } from '../words/words.svelte';
import { parseEdtf, type Bound, type Edtf, type PlainDate } from './edtf';

/** The date in the reader's words; "no date known" where there is none. */
export function dateInWords(text: string | null | undefined): string {
  if (!text) return say('undated');
  const date = parseEdtf(text);
  return date ? inWords(date) : text;
}

function inWords(date: Edtf): string {
  switch (date.shape) {
    case 'date':
      return qualified(date.date);
    case 'moment':
      return say('date_at', { date: plain(date.date), time: date.time.replace(/^0/, '') });
    case 'interval':
      return interval(date.from, date.until);
  }
}

/** Under which heading something of this date stands, and on which of its days. */
export interface Heading {
  /** Equal for what stands together. */
  key: string;
  words: string;
  /** The day of the month with the day of the week, where it is known. */
  day?: string;
}

export function headingOf(text: string | null | undefined): Heading {
  const date = text ? parseEdtf(text) : undefined;
  if (!text || !date) return { key: '', words: say('undated') };
  if (date.shape === 'interval') return { key: text, words: inWords(date) };
  const { year, month, day, precision, qualifier } = date.date;
  if (precision === 'day' && month && day) {
    const words = plain({ year, month, precision: 'month', qualifier: '' });
    const weekday = at(year, month, day, { weekday: 'short', day: 'numeric' });
    return { key: `${year}-${month}`, words, day: qualifier ? undefined : weekday };
  }
  const key = precision === 'month' && !qualifier ? `${year}-${month}` : text;
  return { key, words: inWords(date) };
}

function qualified(date: PlainDate): string {
  const words = plain(date);
  if (date.qualifier === '~') return say('date_about', { date: words });
  if (date.qualifier === '?') return say('date_perhaps', { date: words });
  if (date.qualifier === '%') return say('date_perhaps_about', { date: words });
  return words;
}

function plain(date: PlainDate): string {
  const { year, month, day, season } = date;
  switch (date.precision) {
    case 'day':
      return at(year, month!, day!, { day: 'numeric', month: 'long', year: 'numeric' });
    case 'month':
      return at(year, month!, 1, { month: 'long', year: 'numeric' });
    case 'season': {
      const words = say(`season_${season}` as Word);
      const next = yearInWords(year + 1);
      // It begins in December and belongs mostly to the year after.
      if (season === 24)
        return say('date_winter', { season: words, year: yearInWords(year), next });
      return say('date_season', { season: words, year: yearInWords(year) });
    }
    case 'decade':
      return say('date_decade', { year: yearInWords(year) });
    case 'century':
      return say('date_century', { year: yearInWords(year) });
    case 'year':
      return yearInWords(year);
  }
}

function interval(from: Bound, until: Bound): string {
  if (typeof from !== 'string' && typeof until !== 'string') {
    return say('date_range', { from: qualified(from), until: qualified(until) });
  }
  if (typeof from !== 'string') {
    const word = until === 'open' ? 'date_or_later' : 'date_since';
    return say(word, { date: qualified(from) });
  }
  if (typeof until === 'string') return say('undated');
  return say(from === 'open' ? 'date_or_earlier' : 'date_until', { date: qualified(until) });
}

/** The calendar has a year 0, people have none: it is 1 BC. */
export function yearInWords(year: number): string {
  return year > 0 ? String(year) : say('date_year_bc', { year: String(1 - year) });
}

function at(year: number, month: number, day: number, style: Intl.DateTimeFormatOptions): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year > 0) return formatOf(style).format(date);
  const { year: _, ...rest } = style;
  return `${formatOf(rest).format(date)} ${yearInWords(year)}`;
}

/** Making one takes a hundred times as long as using it, and a timeline has many headings. */
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${JSON.stringify(style)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale(), { ...style, timeZone: 'UTC' });
    formats.set(key, format);
  }
  return format;
}
