/** What failed, grouped by why: the same reason once, with the files that it is about. */
import type { FailureCode, Unit } from '../api/client';
import type { Word } from '../words/words.svelte';

export interface Group {
  code: FailureCode;
  /** What the tool said, once for each way of saying it. */
  said: string[];
  units: Unit[];
}

/** The reason in plain words. */
export function wordOf(code: FailureCode): Word {
  return `failure_${code}`;
}

/** The largest group first. */
export function groupFailures(units: readonly Unit[]): Group[] {
  const groups = new Map<FailureCode, Group>();
  for (const unit of units) {
    const code = unit.failure_code ?? 'other';
    const group = groups.get(code) ?? { code, said: [], units: [] };
    const said = unit.error?.trim();
    if (said && !group.said.includes(said)) group.said.push(said);
    group.units.push(unit);
    groups.set(code, group);
  }
  return [...groups.values()].sort((a, b) => b.units.length - a.units.length);
}
