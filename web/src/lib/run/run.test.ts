import { describe, expect, it } from 'vitest';
import type { Run, Unit } from '../api/client';
import { coverageOf, shareOf } from './coverage';
import { groupFailures, wordOf } from './failures';

function unit(error: string, id: string): Unit {
  return {
    id,
    step: 'renditions',
    asset_id: id,
    state: 'failed',
    attempts: 1,
    error,
    is_permanent: true
  };
}

describe('failures', () => {
  it('are told in plain words', () => {
    const cases = [
      ['the original of "a.jpg" is at none of its places', 'reason_gone'],
      ['the file at the place of "a.jpg" was changed since it was last read', 'reason_changed'],
      ['reading this file takes more memory than is allowed', 'reason_memory'],
      ['reading this file takes longer than the 60 s that are allowed', 'reason_slow'],
      ['ffmpeg crashed on this file (signal 11)', 'reason_crash'],
      ['It ended the process that worked on it 3 times: x', 'reason_crash'],
      ['The picture is damaged so badly that nothing of it can be shown.', 'reason_damaged'],
      ['moov atom not found', 'reason_damaged'],
      ['The picture is stored in a way that cannot be shown yet.', 'reason_unknown_kind'],
      ['ffmpeg could not be started: no such file', 'reason_program'],
      ['something new', 'reason_other'],
      [undefined, 'reason_other']
    ] as const;
    for (const [error, word] of cases) expect(wordOf(error), error).toBe(word);
  });

  it('of the same reason stand together, the most first', () => {
    const groups = groupFailures([
      unit('x', '1'),
      unit('moov atom not found', '2'),
      unit('invalid data', '3')
    ]);
    expect(groups.map((group) => [group.word, group.units.length])).toEqual([
      ['reason_damaged', 2],
      ['reason_other', 1]
    ]);
    expect(groups[0]!.said).toEqual(['moov atom not found', 'invalid data']);
  });
});

describe('how far a run is', () => {
  const step = {
    step: 'film',
    present: 3,
    pending: 4,
    done: 1,
    skipped: 1,
    failed: 1,
    cancelled: 0
  };
  const run = (more: object) =>
    ({
      pipeline: 'prepare',
      state: 'running',
      progress: {},
      steps: [step],
      ...more
    }) as unknown as Run;
  it('counts what was there before as made', () => {
    expect(coverageOf(step)).toMatchObject({ total: 10, made: 4, pending: 4 });
    expect(shareOf(run({}))).toBeCloseTo(0.6);
  });
  it('is not said to be further than it is planned', () => {
    expect(shareOf(run({ assets: 100, assets_planned: 50 }))).toBeCloseTo(0.3);
    expect(shareOf(run({ steps: [] }))).toBeUndefined();
    expect(shareOf(run({ state: 'done' }))).toBe(1);
  });
  it('is not known of a scan before every folder was listed', () => {
    const scan = (is_listed: boolean) =>
      run({ pipeline: 'scan', progress: { files: 10, files_done: 5, is_listed } });
    expect(shareOf(scan(false))).toBeUndefined();
    expect(shareOf(scan(true))).toBe(0.5);
  });
});
