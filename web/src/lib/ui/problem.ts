import { isWord, say } from '../words/words.svelte';

/** What kind of problem it is, in plain words; where its code has none, the status says roughly what happened. */
export function problemInWords(code: string, status = 0): string {
  const word = `problem_${code}`;
  if (isWord(word)) return say(word);
  if (status === 503) return say('problem_busy');
  return say(status >= 400 && status < 500 ? 'problem_request' : 'problem_internal');
}
