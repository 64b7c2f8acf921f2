/**
 * Path text: the names of files are bytes, and the API writes those that are no UTF-8 as `\xHH` and a
 * backslash twice (docs/formats.md). People see a sign in the place of what is no letter.
 */
export function nameInWords(pathText: string): string {
  return pathText.replace(/\\\\|\\x[0-9a-f]{2}/g, (found) => (found === '\\\\' ? '\\' : '\uFFFD'));
}

/** What somebody typed, or what they chose if that still stands there, as path text. */
export function pathTextOf(typed: string, chosen?: string): string {
  if (chosen !== undefined && nameInWords(chosen) === typed.trim()) return chosen;
  return typed.trim().replaceAll('\\', '\\\\');
}

/** The folder that a path is in; empty at the root. */
export function folderOf(pathText: string): string {
  return pathText.slice(0, Math.max(0, pathText.lastIndexOf('/')));
}
