import type { Run, RunStep } from '../api/client';

/** How far a step is, in numbers of assets. */
export interface Coverage {
  total: number;
  /** Made now, or there before. */
  made: number;
  skipped: number;
  failed: number;
  cancelled: number;
  pending: number;
}

export function coverageOf(step: RunStep): Coverage {
  const { present, pending, done, skipped, failed, cancelled } = step;
  const made = present + done;
  return {
    total: made + skipped + failed + cancelled + pending,
    made,
    skipped,
    failed,
    cancelled,
    pending
  };
}

/** How far a run is, 0 to 1; `undefined` while that cannot be said. */
export function shareOf(run: Run): number | undefined {
  if (hasEnded(run)) return 1;
  if (countsFiles(run)) {
    const { files = 0, files_done = 0, is_listed } = run.progress;
    return is_listed && files > 0 ? files_done / files : undefined;
  }
  let [total, left] = [0, 0];
  for (const step of run.steps ?? []) {
    const coverage = coverageOf(step);
    total += coverage.total;
    left += coverage.pending;
  }
  if (total === 0) return undefined;
  const planned = run.assets ? Math.min((run.assets_planned ?? 0) / run.assets, 1) : 1;
  return ((total - left) / total) * planned;
}

/** Whether it goes through files, and not through steps of originals. */
export function countsFiles(run: Run): boolean {
  return ['scan', 'import', 'export'].includes(run.pipeline);
}

export function hasEnded(run: Run): boolean {
  return run.state === 'done' || run.state === 'failed' || run.state === 'cancelled';
}

export function failuresOf(run: Run): number {
  return (run.steps ?? []).reduce((sum, step) => sum + step.failed, 0);
}
