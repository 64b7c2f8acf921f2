/** The keyboard map: what single keys do, in one list that is also what `?` shows. */
import type { Word } from '../words/words.svelte';

export interface Shortcut {
  keys: string[];
  does: Word;
}

export const SHORTCUTS: { where: Word; keys: Shortcut[] }[] = [
  {
    where: 'keys_everywhere',
    keys: [
      { keys: ['?'], does: 'keys_help' },
      { keys: ['/'], does: 'keys_search' },
      { keys: ['L'], does: 'keys_library' },
      { keys: ['A'], does: 'keys_add' }
    ]
  },
  {
    where: 'keys_in_library',
    keys: [
      { keys: ['←', '→', '↑', '↓'], does: 'keys_arrows' },
      { keys: ['Home', 'End'], does: 'keys_ends' },
      { keys: ['Enter'], does: 'keys_open' },
      { keys: ['Shift + ←', 'Shift + →'], does: 'keys_choose' },
      { keys: ['Esc'], does: 'selection_end' }
    ]
  },
  {
    where: 'keys_in_viewer',
    keys: [
      { keys: ['←', '→'], does: 'keys_neighbours' },
      { keys: ['+', '-', '0'], does: 'keys_zoom' },
      { keys: ['PageUp', 'PageDown'], does: 'keys_pages' },
      { keys: ['I'], does: 'keys_panel' },
      { keys: ['Esc'], does: 'keys_back' }
    ]
  }
];
