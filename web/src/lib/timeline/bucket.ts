/** Buckets of the timeline in words, and which of them is meant by a date. */
import { dateInWords, yearInWords } from '../date/words';
import { parseEdtf } from '../date/edtf';
import { say } from '../words/words.svelte';

export interface Bucket {
  /** `2024-05`, `1974`, `195X`, `1953/1962`, `1953/..` or `undated`. */
  bucket: string;
  count: number;
}

/** The heading: "May 2024", "Some time in the 1950s", "Without a date". */
export function bucketInWords(bucket: string): string {
  if (bucket === 'undated') return say('bucket_undated');
  const date = parseEdtf(bucket);
  if (date?.shape === 'date' && date.date.precision === 'year')
    return say('bucket_year', { date: dateInWords(bucket) });
  if (date?.shape === 'date' && date.date.precision === 'decade')
    return say('bucket_decade', { year: yearInWords(date.date.year) });
  if (date?.shape === 'interval' && typeof date.from !== 'string' && typeof date.until !== 'string')
    return say('bucket_range', { date: dateInWords(bucket) });
  return dateInWords(bucket);
}

/** The year in which it begins; nothing of what has no date. */
export function yearOf(bucket: string): number | undefined {
  return beginningOf(bucket)?.[0];
}

/** Year and month in which it begins; month 0 of what is not known by month. */
function beginningOf(bucket: string): [number, number] | undefined {
  const date = parseEdtf(bucket);
  if (!date) return undefined;
  const first = date.shape === 'interval' ? date.from : date.date;
  return typeof first === 'string' ? undefined : [first.year, first.month ?? 0];
}

/** The place of the newest bucket that begins no later than a date; the oldest dated one if all are later. */
export function findBucket(buckets: readonly Bucket[], year: number, month?: number): number {
  let last = 0;
  for (const [at, { bucket }] of buckets.entries()) {
    const begins = beginningOf(bucket);
    if (!begins) continue;
    last = at;
    if (begins[0] < year || (begins[0] === year && begins[1] <= (month ?? 12))) return at;
  }
  return last;
}
