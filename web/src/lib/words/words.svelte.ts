/**
 * What the app says, in the reader's language. One JSON file per language with the same keys; a text
 * may have gaps such as `{name}`, and one form for each plural that the language has.
 *
 * A catalogue is loaded when it is needed, so that nobody loads a language that they do not read.
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

const FILES: Record<Language, () => Promise<{ default: Texts }>> = {
  en: () => import('./en.json'),
  de: () => import('./de.json')
};

let current = $state.raw<{ language: Language; locale: string; texts: Texts } | undefined>();

/** The language that is wished for most among those that there are; English if there is none. */
export function pickLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const tag = wish.toLowerCase().split('-')[0];
    const found = LANGUAGES.find((language) => language.tag === tag);
    if (found) return found.tag;
  }
  return 'en';
}

/** Speaks this language from now on. */
export async function speak(language: Language): Promise<void> {
  const texts = (await FILES[language]()).default;
  const { locale, direction } = LANGUAGES.find((known) => known.tag === language)!;
  current = { language, locale, texts };
  if (typeof document !== 'undefined') {
    document.documentElement.lang = language;
    document.documentElement.dir = direction;
  }
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
