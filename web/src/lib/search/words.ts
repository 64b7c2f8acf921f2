/** Terms of a query as people say them. */
import { isWord, say, type Word } from '../words/words.svelte';
import type { Term } from './query';

export function termInWords(term: Term): string {
  let words = term.value;
  if (term.field) {
    const value = term.value
      .split(',')
      .map((one) => {
        const key = term.field === 'type' ? `kind_${one}` : `state_${one}`;
        return (term.field === 'type' || term.field === 'is') && isWord(key) ? say(key) : one;
      })
      .join(', ');
    words = say('search_term', { field: say(`field_${term.field}` as Word), value });
  }
  return term.isDenied ? say('search_not', { term: words }) : words;
}
