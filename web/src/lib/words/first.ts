/**
 * The words that the first page shows at once, by how their keys begin. They come before all others, which
 * follow a moment later: nobody waits for words that they do not see.
 */
export const FIRST = [
  'loading',
  'skip',
  'nav_',
  'kind_',
  'undated',
  'date_',
  'season_',
  'bucket_',
  'library_view',
  'library_as_',
  'library_end',
  'timeline_jump',
  'timeline_filter',
  'timeline_scrubber',
  'selection_begin'
];

export function isFirst(key: string): boolean {
  return FIRST.some((beginning) => key.startsWith(beginning));
}
