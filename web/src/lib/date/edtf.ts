/**
 * Dates as families know them (EDTF, ISO 8601-2 levels 0 and 1), as far as they have to be read here.
 * The server decides what is a date; this only takes apart what it gave or will be asked.
 */
export interface PlainDate {
  year: number;
  /** `day`, `month`, `season`, `year`, `decade` or `century`: how exact it is. */
  precision: 'day' | 'month' | 'season' | 'year' | 'decade' | 'century';
  month?: number;
  day?: number;
  /** 21 spring, 22 summer, 23 autumn, 24 winter. */
  season?: number;
  qualifier: '' | '~' | '?' | '%';
}

/** An end of an interval: a date, one that nobody knows (written as nothing), or none (`..`). */
export type Bound = PlainDate | 'unknown' | 'open';

export type Edtf =
  | { shape: 'date'; date: PlainDate }
  | { shape: 'moment'; date: PlainDate; time: string }
  | { shape: 'interval'; from: Bound; until: Bound };

const DATE =
  /^(?:Y(-?\d{5,})|(-?\d{4})|(-?\d{3})X|(-?\d{2})XX)(?:-(\d\d|XX))?(?:-(\d\d|XX))?([~?%])?$/;
const MOMENT = /^(-?\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/;

/** Takes a date apart; `undefined` when it is none. */
export function parseEdtf(text: string): Edtf | undefined {
  const moment = MOMENT.exec(text);
  if (moment) {
    const date = parseDate(moment[1]!);
    return date && { shape: 'moment', date, time: moment[2]! };
  }
  const ends = text.split('/');
  if (ends.length === 2) {
    const [from, until] = ends.map(parseBound);
    if (!from || !until || (typeof from === 'string' && typeof until === 'string'))
      return undefined;
    return { shape: 'interval', from, until };
  }
  const date = parseDate(text);
  return date && { shape: 'date', date };
}

function parseBound(text: string): Bound | undefined {
  if (text === '') return 'unknown';
  if (text === '..') return 'open';
  return parseDate(text);
}

function parseDate(text: string): PlainDate | undefined {
  const found = DATE.exec(text);
  if (!found) return undefined;
  const [, long, plain, decade, century, month, day, mark] = found;
  const qualifier = (mark ?? '') as PlainDate['qualifier'];
  if (decade !== undefined || century !== undefined) {
    if (month !== undefined) return undefined;
    return decade !== undefined
      ? { year: Number(decade) * 10, precision: 'decade', qualifier }
      : { year: Number(century) * 100, precision: 'century', qualifier };
  }
  const year = Number(long ?? plain);
  if (month === undefined || month === 'XX') return { year, precision: 'year', qualifier };
  const number = Number(month);
  if (number >= 21 && number <= 24 && day === undefined) {
    return { year, precision: 'season', season: number, qualifier };
  }
  if (number < 1 || number > 12) return undefined;
  if (day === undefined || day === 'XX')
    return { year, precision: 'month', month: number, qualifier };
  if (Number(day) < 1 || Number(day) > daysIn(year, number)) return undefined;
  return { year, precision: 'day', month: number, day: Number(day), qualifier };
}

export function daysIn(year: number, month: number): number {
  const end = new Date(Date.UTC(2000, month, 0));
  end.setUTCFullYear(year, month, 0);
  return end.getUTCDate();
}
