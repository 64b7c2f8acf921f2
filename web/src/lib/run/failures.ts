/** What failed, grouped by why: the same reason once, with the files that it is about. */
import type { FailureCode, Unit } from '../api/client';
import type { Word } from '../words/words.svelte';

/** A file, and the steps that failed for it. */
export interface FailedFile {
  id: string;
  /** None when it is no more. */
  name?: string | null;
  steps: string[];
}

export interface Group {
  code: FailureCode;
  /** What the tool said, once for each way of saying it. */
  said: string[];
  files: FailedFile[];
}

/** The reason in plain words. */
export function wordOf(code: FailureCode): Word {
  return `failure_${code}`;
}

/** The group of the most files first. */
export function groupFailures(units: readonly Unit[]): Group[] {
  const groups = new Map<FailureCode, { said: Set<string>; files: Map<string, FailedFile> }>();
  for (const { asset_id: id, asset_name: name, step, error, failure_code } of units) {
    const code = failure_code ?? 'other';
    const group = groups.get(code) ?? { said: new Set(), files: new Map() };
    groups.set(code, group);
    const said = error?.trim();
    if (said) group.said.add(said);
    const file = group.files.get(id) ?? { id, name, steps: [] };
    group.files.set(id, file);
    if (!file.steps.includes(step)) file.steps.push(step);
  }
  return [...groups]
    .map(([code, { said, files }]) => ({ code, said: [...said], files: [...files.values()] }))
    .sort((a, b) => b.files.length - a.files.length);
}
