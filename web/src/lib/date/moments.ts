/** Moments of the catalogue, such as when a file was found, on the clock of this device. */
import { locale } from '../words/words.svelte';

/** The day. */
export function dayOfMs(atMs: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long' }).format(atMs);
}

/** The day with the time of day. */
export function momentOfMs(atMs: number): string {
  const style = { dateStyle: 'long', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat(locale(), style).format(atMs);
}
