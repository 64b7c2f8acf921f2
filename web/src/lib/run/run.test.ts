import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FailureCode, Run, Unit } from '../api/client';
import english from '../words/en.json';
import { speak } from '../words/words.svelte';
import { coverageOf, shareOf } from './coverage';
import { groupFailures, wordOf } from './failures';
import { stateInWords, waitInWords, wordOfReason } from './words';

function unit(asset: string, error: string, failure_code?: FailureCode, step = 'renditions'): Unit {
  return {
    id: `${asset} ${step}`,
    step,
    asset_id: asset,
    state: 'failed',
    attempts: 1,
    error,
    failure_code,
    is_permanent: true
  };
}

describe('failures', () => {
  it('are told apart by their codes, and not by what is said of them', () => {
    const groups = groupFailures([
      unit('1', 'the file is damaged'),
      unit('2', 'moov atom not found', 'damaged'),
      unit('3', 'nothing that anybody has heard of', 'damaged')
    ]);
    expect(groups.map((group) => [group.code, group.files.length])).toEqual([
      ['damaged', 2],
      ['other', 1]
    ]);
    expect(groups[0]!.said).toEqual(['moov atom not found', 'nothing that anybody has heard of']);
  });

  it('count files, each once with the steps that failed for it', () => {
    const groups = groupFailures([
      unit('1', 'cut off', 'damaged'),
      unit('1', 'cut off', 'damaged', 'text'),
      unit('1', 'slow', 'timed_out', 'film'),
      unit('2', 'cut off', 'damaged', 'text')
    ]);
    expect(
      groups.map(({ code, files }) => [code, files.map(({ id, steps }) => [id, steps])])
    ).toEqual([
      [
        'damaged',
        [
          ['1', ['renditions', 'text']],
          ['2', ['text']]
        ]
      ],
      ['timed_out', [['1', ['film']]]]
    ]);
  });

  it('each have words', () => {
    const schema = readFileSync('../docs/openapi.json', 'utf8');
    const codes: FailureCode[] =
      JSON.parse(schema).components.schemas.Unit.properties.failure_code.enum;
    expect(codes.length).toBeGreaterThan(5);
    for (const code of codes) expect(english).toHaveProperty(wordOf(code));
  });
});

describe('why a file was passed over', () => {
  it('has words for each reason that a scan gives', () => {
    const scan = (name: string) =>
      readFileSync(`../crates/heirloom-pipeline/src/scan/${name}.rs`, 'utf8');
    const sentences = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, sentence]) => sentence!);
    const examine = scan('examine');
    const reasons = [
      ...sentences(scan('passed_over'), /^const [A-Z]+: &str = "([^"]+)"/gm),
      ...sentences(scan('walk'), /return Some\("([^"]+)"\)/g),
      ...sentences(examine.slice(examine.indexOf('fn skipped(')), /Some\("([^"]+)"\)/g),
      ...sentences(examine.slice(examine.indexOf('fn reason(')), /"([^"{]+)"\.to_owned\(\)/g)
    ];
    expect(reasons.length).toBeGreaterThan(15);
    expect(reasons.filter((reason) => !(wordOfReason(reason) in english))).toEqual([]);
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

describe('a run that waits', () => {
  it.each([
    ['de', 'Wartet', 'kein Platz', 'Katalog'],
    ['en', 'Waiting', 'No space', 'catalogue']
  ] as const)('says in %s what it waits for', async (language, state, space, catalogue) => {
    await speak(language);
    const held = (waits_for_code?: string) =>
      ({ state: 'running', waits_for: 'the disk', waits_for_code }) as unknown as Run;
    expect(stateInWords(held('no_space'))).toBe(state);
    expect(waitInWords(held('no_space'))).toContain(space);
    expect(waitInWords(held())).toContain(catalogue);
    expect(waitInWords({ state: 'running' } as unknown as Run)).toBeUndefined();
  });
});
