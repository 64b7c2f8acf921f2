import { locale } from './words.svelte';

/** What a language is called, by its code: `de` is German. */
export function languageInWords(code: string): string {
  try {
    return new Intl.DisplayNames(locale(), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
