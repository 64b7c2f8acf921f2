/** What people type for a date, as EDTF: "about 1950", "1.7.1974", "summer 1963", "1942 to 1945". */
import { parseEdtf } from './edtf';

const ABOUT = /^(?:about|around|circa|ca\.?|c\.|~|um|etwa|ungefähr|gegen)\s+/i;
const PERHAPS = /^(?:perhaps|maybe|probably|vielleicht|vermutlich|wohl)\s+/i;
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
  const ends = text.replace(BETWEEN, '').split(/ (?:to|until|and|bis|und) |\s*[–—]\s*|\.\.\.?/);
  if (ends.length === 2 && (ends[0] || ends[1])) {
    const [from, until] = ends.map((end) => (end === '' ? '..' : readOne(end, locales)));
    const interval = `${from}/${until}`;
    return from && until && parseEdtf(interval) ? interval : undefined;
  }
  return readOne(text, locales);
}

function readOne(text: string, locales: string[]): string | undefined {
  let rest = text.trim();
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
  const decade = /^(?:the |die |den )?(\d{3})0(?:s|'s|’s|er(?: jahren?)?)$/i.exec(text);
  if (decade) return `${decade[1]}X`;
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
