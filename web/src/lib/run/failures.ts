/** What failed, grouped by why: the same reason once, with the files that it is about. */
import type { Unit } from '../api/client';
import type { Word } from '../words/words.svelte';

export interface Group {
  /** The reason in plain words. */
  word: Word;
  /** What the tool said, once for each way of saying it. */
  said: string[];
  units: Unit[];
}

// The server says why in English, for whoever runs it. These are the reasons that people know; what is
// not among them is shown as the server said it.
const REASONS: [RegExp, Word][] = [
  [/at none of its places|original.*gone/i, 'reason_gone'],
  [/was changed since/i, 'reason_changed'],
  [/more memory|out of memory/i, 'reason_memory'],
  [/takes longer|timed? ?out/i, 'reason_slow'],
  [/crashed|ended the process|gave up without|answered with nonsense/i, 'reason_crash'],
  [/larger than|more than is allowed|too much space|more pixels|too large/i, 'reason_large'],
  [/could not be started|no such program/i, 'reason_program'],
  [
    /kept as they are|cannot be shown yet|not drawn|unsupported|no ready picture/i,
    'reason_unknown_kind'
  ],
  [
    /damaged|invalid|corrupt|truncat|end of file|unexpected|malformed|moov|made nothing/i,
    'reason_damaged'
  ],
  [/no space|disk is full/i, 'reason_space']
];

export function wordOf(error: string | null | undefined): Word {
  return REASONS.find(([pattern]) => pattern.test(error ?? ''))?.[1] ?? 'reason_other';
}

/** The largest group first. */
export function groupFailures(units: readonly Unit[]): Group[] {
  const groups = new Map<Word, Group>();
  for (const unit of units) {
    const word = wordOf(unit.error);
    const group = groups.get(word) ?? { word, said: [], units: [] };
    const said = unit.error?.trim();
    if (said && !group.said.includes(said)) group.said.push(said);
    group.units.push(unit);
    groups.set(word, group);
  }
  return [...groups.values()].sort((a, b) => b.units.length - a.units.length);
}
