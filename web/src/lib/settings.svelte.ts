/** What was chosen on this device. It stays here: nobody else is told. */
import { LANGUAGES, pickLanguage, speak, type Language } from './words/words.svelte';

export const TEXT_SIZES = [100, 125, 150, 200] as const;
export type TextSize = (typeof TEXT_SIZES)[number];
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

interface Settings {
  /** `null` follows the browser. */
  language: Language | null;
  theme: Theme;
  /** Per cent of what the browser has. */
  textSize: TextSize;
  /** Whether single keys do something: whoever dictates may not want that (WCAG 2.1.4). */
  hasShortcuts: boolean;
  libraryView: 'grid' | 'list';
}

const STANDARD: Settings = {
  language: null,
  theme: 'system',
  textSize: 100,
  hasShortcuts: true,
  libraryView: 'grid'
};

/** Reads what was stored; what cannot be read is as if it had not been chosen. */
export function readSettings(text: string | null): Settings {
  let stored: Partial<Settings> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) stored = parsed;
  } catch {
    // Somebody else's words under our name.
  }
  const pick = <T>(value: unknown, known: readonly T[], standard: T): T =>
    known.includes(value as T) ? (value as T) : standard;
  const tags = LANGUAGES.map((language) => language.tag);
  return {
    language: pick<Language | null>(stored.language, tags, null),
    theme: pick(stored.theme, THEMES, STANDARD.theme),
    textSize: pick(stored.textSize, TEXT_SIZES, STANDARD.textSize),
    hasShortcuts: pick(stored.hasShortcuts, [true, false], true),
    libraryView: pick(stored.libraryView, ['grid', 'list'], STANDARD.libraryView)
  };
}

function stored(): string | null {
  try {
    return localStorage.getItem('settings');
  } catch {
    return null;
  }
}

export const settings = $state<Settings>(readSettings(stored()));

/** Changes some of them, here and for the next visit. */
export async function choose(change: Partial<Settings>): Promise<void> {
  Object.assign(settings, change);
  try {
    localStorage.setItem('settings', JSON.stringify(settings));
  } catch {
    // Then it holds until the page is closed.
  }
  await apply();
}

/** Makes the page as the settings say; the first page does not wait for words that it does not show. */
export async function apply(isFirstPage = false): Promise<void> {
  const root = document.documentElement;
  if (settings.theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = settings.theme;
  if (settings.textSize === 100) delete root.dataset.text;
  else root.dataset.text = String(settings.textSize);
  await speak(settings.language ?? pickLanguage(navigator.languages), isFirstPage);
}
