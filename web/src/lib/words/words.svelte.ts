/**
 * What the app says, in the reader's language. One JSON file per language with the same keys; a text
 * may have gaps such as `{name}`, and one form for each plural that the language has.
 *
 * A catalogue is loaded when it is needed, so that nobody loads a language that they do not read, and in two
 * parts: what the first page shows (first.ts), and the rest.
 */
import type english from './en.json';

export type Word = keyof typeof english;
type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Texts = Record<Word, Text>;
type Gaps = Record<string, string | number>;

/** The languages that there are: the tag, the name as its speakers say it, and how it writes dates. */
export const LANGUAGES = [
  { tag: 'en', name: 'English', locale: 'en-GB', direction: 'ltr' },
  { tag: 'de', name: 'Deutsch', locale: 'de-DE', direction: 'ltr' }
] as const;
export type Language = (typeof LANGUAGES)[number]['tag'];

type Part = () => Promise<{ default: Partial<Texts> }>;
const FILES: Record<Language, { first: Part; rest: Part }> = {
  en: { first: () => import('./en.json?first'), rest: () => import('./en.json?rest') },
  de: { first: () => import('./de.json?first'), rest: () => import('./de.json?rest') }
};

interface Spoken {
  language: Language;
  locale: string;
  texts: Partial<Texts>;
}
let current = $state.raw<Spoken | undefined>();
let isWhole = false;

/** The language that is wished for most among those that there are; English if there is none. */
export function pickLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const tag = wish.toLowerCase().split('-')[0];
    const found = LANGUAGES.find((language) => language.tag === tag);
    if (found) return found.tag;
  }
  return 'en';
}

/** Speaks this language from now on; waits only for what the first page says if that is enough. */
export async function speak(language: Language, isFirstEnough = false): Promise<void> {
  if (current?.language !== language) {
    const { default: texts } = await FILES[language].first();
    const { locale, direction } = LANGUAGES.find((known) => known.tag === language)!;
    current = { language, locale, texts };
    isWhole = false;
    if (typeof document !== 'undefined') {
      document.documentElement.lang = language;
      document.documentElement.dir = direction;
    }
  }
  if (isWhole) return;
  const rest = FILES[language].rest().then(({ default: more }) => {
    if (current?.language !== language || isWhole) return;
    current = { ...current, texts: { ...current.texts, ...more } };
    isWhole = true;
  });
  // Without a line the rest may not come; the next page asks for it again.
  if (isFirstEnough) rest.catch(() => {});
  else await rest;
}

/** The locale for dates and numbers. */
export function locale(): string {
  return current?.locale ?? 'en-GB';
}

/** The words, with what fills their gaps; `count` picks the plural. */
export function say(word: Word, gaps: Gaps = {}): string {
  const text = current?.texts[word];
  return text === undefined ? word : fill(text, gaps, locale());
}

/** Whether there are words for a key that was put together. */
export function isWord(key: string): key is Word {
  return current !== undefined && key in current.texts;
}

export function fill(text: Text, gaps: Gaps, locale: string): string {
  if (typeof text !== 'string') {
    const rule = new Intl.PluralRules(locale).select(Number(gaps.count ?? 0));
    text = text[rule] ?? text.other ?? '';
  }
  return text.replace(/\{(\w+)\}/g, (whole, gap: string) => {
    const value = gaps[gap];
    if (value === undefined) return whole;
    return typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : value;
  });
}
