/** What people type for a date, as EDTF: "about 1950", "1.7.1974", "summer 1963", "1942 to 1945". */
import { parseEdtf } from './edtf';

const ABOUT = /^(?:about|around|circa|ca\.?|c\.|~|um|etwa|ungefähr|gegen)\s+/i;
const PERHAPS = /^(?:perhaps|maybe|probably|vielleicht|vermutlich|wohl)\s+/i;
const SOME_TIME = /^(?:some ?time|somewhere|irgendwann|irgendwo)\s+/i;
const BEFORE = /^(?:before|until|vor|bis)\s+/i;
const AFTER = /^(?:after|since|nach|seit|ab)\s+/i;
const OR_EARLIER = / (?:or earlier|oder früher)$/i;
const OR_LATER = / (?:or later|oder später)$/i;
/** The thirds of a decade: which of its years. */
const THIRDS: [RegExp, number, number][] = [
  [/^(?:the )?early(?: in)?\s+|^anfang\s+/i, 0, 3],
  [/^(?:the )?mid(?:dle of)?[- ]|^mitte\s+/i, 4, 6],
  [/^(?:the )?late\s+|^ende\s+/i, 7, 9]
];
const BETWEEN = /^(?:between|from|zwischen|von)\s+/i;
const SEASONS: [RegExp, number][] = [
  [/^(?:spring|frühling|frühjahr)$/, 21],
  [/^(?:summer|sommer)$/, 22],
  [/^(?:autumn|fall|herbst)$/, 23],
  [/^winter$/, 24]
];

/** The date that was meant, or `undefined`. `locales` are those whose names of months are known. */
export function readDate(typed: string, locales = ['en', 'de']): string | undefined {
  const text = typed.trim().replace(/\s+/g, ' ');
  if (text === '') return undefined;
  if (parseEdtf(text)) return text;
  const open = readOpen(text, locales);
  if (open) return open;
  const ends = text
    .replace(BETWEEN, '')
    .split(/ (?:to|until|and|or|bis|und|oder) |\s*[–—]\s*|\.\.\.?/);
  if (ends.length === 2 && (ends[0] || ends[1])) {
    const [from, until] = ends.map((end) => (end === '' ? '..' : readOne(end, locales)));
    const interval = `${from}/${until}`;
    return from && until && parseEdtf(interval) ? interval : undefined;
  }
  return readOne(text, locales);
}

/** What has one end: "before 1960", "1942 or later". */
function readOpen(text: string, locales: string[]): string | undefined {
  const until = BEFORE.test(text) || OR_EARLIER.test(text);
  if (!until && !AFTER.test(text) && !OR_LATER.test(text)) return undefined;
  const bare = [BEFORE, AFTER, OR_EARLIER, OR_LATER].reduce(
    (rest, it) => rest.replace(it, ''),
    text
  );
  const date = readOne(bare, locales);
  if (!date) return undefined;
  // Before a year is not within it.
  const isBeside = /^(?:before|after|vor|nach) /i.test(text) && /^\d{4}$/.test(date);
  const beside = Number(date) + (until ? -1 : 1);
  const end = isBeside ? String(beside).padStart(4, '0') : date;
  return until ? `../${end}` : `${end}/..`;
}

function readOne(text: string, locales: string[]): string | undefined {
  let rest = text.trim().replace(SOME_TIME, '');
  const third = THIRDS.find(([pattern]) => pattern.test(rest));
  if (third) {
    const decade = readPlain(rest.replace(third[0], ''), locales);
    if (decade?.endsWith('X')) {
      return `${decade.slice(0, 3)}${third[1]}/${decade.slice(0, 3)}${third[2]}`;
    }
  }
  const isPerhaps = PERHAPS.test(rest) || rest.endsWith('?');
  rest = rest.replace(PERHAPS, '').replace(/\?$/, '');
  const isAbout = ABOUT.test(rest) || rest.endsWith('~');
  rest = rest.replace(ABOUT, '').replace(/~$/, '').trim();
  const mark = isPerhaps ? (isAbout ? '%' : '?') : isAbout ? '~' : '';
  const plain = readPlain(rest, locales);
  const edtf = plain && plain + mark;
  return edtf && parseEdtf(edtf) ? edtf : undefined;
}

function readPlain(text: string, locales: string[]): string | undefined {
  if (/^(?:\d{4}|\d{3}X|\d{2}XX)(?:-\d\d){0,2}$/.test(text)) return text;
  const decade =
    /^(?:(?:in|im|of|during) )?(?:the |die |den |der )?(\d{3})0(?:s|'s|’s|ern?(?: jahren?)?)$/i.exec(
      text
    );
  if (decade) return `${decade[1]}X`;
  const christmas = /^(?:at |an |zu )?(christmas|weihnachten) (\d{4})$/i.exec(text);
  if (christmas) {
    // Where people say "Weihnachten", its eve is what is celebrated.
    const day = christmas[1]!.toLowerCase() === 'christmas' ? 25 : 24;
    return `${christmas[2]}-12-${day}~`;
  }
  const numbers = /^(?:(\d{1,2})\. ?)?(\d{1,2})\. ?(\d{4})$/.exec(text);
  if (numbers) return join(numbers[3]!, Number(numbers[2]), numbers[1]);
  const words =
    /^(?:(?:im|in|der|the) )?(?:(\d{1,2})(?:st|nd|rd|th|\.)? )?(\p{L}+)\.? (\d{4})$/iu.exec(text);
  if (!words) return undefined;
  const name = words[2]!.toLowerCase();
  const season = SEASONS.find(([pattern]) => pattern.test(name));
  if (season && !words[1]) return `${words[3]}-${season[1]}`;
  const month = monthCalled(name, locales);
  return month ? join(words[3]!, month, words[1]) : undefined;
}

function join(year: string, month: number, day?: string): string {
  const two = (number: number | string) => String(number).padStart(2, '0');
  return day ? `${year}-${two(month)}-${two(day)}` : `${year}-${two(month)}`;
}

/** A month by its name or by how that begins: "Sept" is enough, and so is "Mär". */
function monthCalled(name: string, locales: string[]): number | undefined {
  if (name.length < 3) return undefined;
  for (const locale of locales) {
    const format = new Intl.DateTimeFormat(locale, { month: 'long', timeZone: 'UTC' });
    for (let month = 1; month <= 12; month++) {
      if (
        format
          .format(Date.UTC(2000, month - 1, 1))
          .toLowerCase()
          .startsWith(name)
      )
        return month;
    }
  }
  return undefined;
}
