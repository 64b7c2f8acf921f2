/** Sizes and times as people read them. */
import { locale, say } from './words/words.svelte';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function sizeInWords(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: UNITS[unit],
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: unit > 0 && size < 10 ? 1 : 0
  }).format(size);
}

/** How long something takes: "3 minutes". */
export function spanInWords(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  if (seconds < 60) return say('span_seconds', { count: seconds });
  if (seconds < 5400) return say('span_minutes', { count: Math.round(seconds / 60) });
  return say('span_hours', { count: Math.round(seconds / 3600) });
}

export function numberInWords(number: number): string {
  return new Intl.NumberFormat(locale()).format(number);
}
