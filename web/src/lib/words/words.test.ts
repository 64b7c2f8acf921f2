import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import german from './de.json';
import english from './en.json';
import { fill, LANGUAGES, pickLanguage, type Texts } from './words.svelte';

const FILES: Record<string, Texts> = { en: english, de: german };

function forms(text: Texts[keyof Texts]): string[] {
  return typeof text === 'string' ? [text] : Object.values(text);
}
function gaps(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort();
}

describe('the words', () => {
  it('are there in every language, with the same gaps', () => {
    expect(Object.keys(FILES)).toEqual(LANGUAGES.map((language) => language.tag));
    for (const [tag, texts] of Object.entries(FILES)) {
      expect(Object.keys(texts).sort(), tag).toEqual(Object.keys(english).sort());
      for (const [key, text] of Object.entries(texts)) {
        const own = forms(FILES.en![key as keyof Texts])[0]!;
        for (const form of forms(text)) {
          expect(form.trim(), `${tag} ${key}`).not.toBe('');
          expect(gaps(form), `${tag} ${key}`).toEqual(gaps(own));
        }
      }
    }
  });

  it('have each plural that a language knows', () => {
    for (const { tag, locale } of LANGUAGES) {
      const rules = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
      for (const [key, text] of Object.entries(FILES[tag]!)) {
        if (typeof text === 'string') continue;
        expect(Object.keys(text).sort(), `${tag} ${key}`).toEqual([...rules].sort());
      }
    }
  });

  it('are all said somewhere, and nothing is said that is not there', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(svelte|ts)$/.test(name) && !/\.test\.ts$|schema\.d\.ts$/.test(name))
      .map((name) => readFileSync(`src/${name}`, 'utf8'))
      .join('\n');
    const known = Object.keys(english);
    // `kind_${…}` says every word that begins so.
    const begun = [...sources.matchAll(/`(\w+_)\$\{/g)].map((found) => found[1]!);
    // `${… ? 'kind' : 'state'}_${…}` in the filters.
    const composed = ['kind_', 'state_'];
    const unsaid = known.filter(
      (key) =>
        !new RegExp(`['"\`]${key}['"\`]`).test(sources) &&
        ![...begun, ...composed].some((beginning) => key.startsWith(beginning))
    );
    expect(unsaid).toEqual([]);
    for (const beginning of begun) {
      const ids = ['panel_'];
      if (ids.includes(beginning)) continue;
      expect(
        known.some((key) => key.startsWith(beginning)),
        beginning
      ).toBe(true);
    }
  });

  it('say what kind of problem a run or a backup failed of, for each that there is', () => {
    const { components } = JSON.parse(readFileSync('../docs/openapi.json', 'utf8'));
    const codes: string[] = components.schemas.Code.enum;
    // What only requests are refused for: what is said of all of them is enough, or the page says more.
    const ofRequests =
      /^(invalid_(request|query|cursor)|method_not_allowed|unsupported_type|invalid_range|content_mismatch|checksum_mismatch|tus_version|offset_conflict|upload_\w+|idempotency_key_reused|in_use|no_library|not_a_library|too_slow)$/;
    const unsaid = codes.filter(
      (code) => !ofRequests.test(code) && !(`problem_${code}` in english)
    );
    expect(unsaid).toEqual([]);
  });

  it('say what is wrong or to be known of an import, and each fault of a repository', () => {
    const { schemas } = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')).components;
    const told = [
      ...schemas.TransferProblem.properties.code.enum.map((code: string) => `trouble_${code}`),
      ...schemas.ImportNote.properties.code.enum.map((code: string) => `note_${code}`),
      ...schemas.RepositoryFault.properties.code.enum.map((code: string) => `fault_${code}`)
    ];
    expect(told.length).toBeGreaterThan(30);
    expect(told.filter((word) => !(word in english))).toEqual([]);
  });

  it('call each pipeline and each of its steps', () => {
    const read = (name: string) =>
      readFileSync(`../crates/heirloom-pipeline/src/${name}.rs`, 'utf8');
    const templates = read('template');
    const [steps, pipelines] = [
      /Step \{\s+name: "(\w+)"/g,
      /Template = Template \{\s+name: "(\w+)"/g
    ].map((form) => [...templates.matchAll(form)].map(([, name]) => name!));
    for (const name of ['scan', 'import', 'export', 'ipfs']) {
      const named = read(name).matchAll(/const (?:PIPELINE|PUBLISH|UNPIN): &str = "(\w+)"/g);
      pipelines!.push(...[...named].map(([, name]) => name!));
    }
    expect([steps!.length, pipelines!.length]).toEqual([15, 8]);
    const wanted = [
      ...steps!.map((it) => `step_${it}`),
      ...pipelines!.map((it) => `pipeline_${it}`)
    ];
    expect(wanted.filter((word) => !(word in english))).toEqual([]);
  });

  it('call each kind of artifact that tools make', () => {
    const all = readdirSync('../crates', { recursive: true, encoding: 'utf8' })
      .filter((name) => /^heirloom-(db|pipeline)\/src\/.*\.rs$/.test(name))
      .map((name) => readFileSync(`../crates/${name}`, 'utf8'))
      .join('\n');
    const kinds = [...all.matchAll(/outputs: &\[([^\]]+)\]/g)]
      .flatMap(([, names]) => names!.split(','))
      .map(
        (name) =>
          new RegExp(`const ${name.trim().replace(/_KIND$/, '')}: &str = "(\\w+)"`).exec(all)?.[1]
      );
    expect(kinds.length).toBeGreaterThan(8);
    expect(kinds.filter((kind) => !kind || !(`artifact_${kind}` in english))).toEqual([]);
  });

  it('follow the language that is wished for most', () => {
    const cases: [string[], string][] = [
      [[], 'en'],
      [['de-AT', 'en'], 'de'],
      [['fr', 'DE'], 'de'],
      [['fr-FR'], 'en'],
      [['en-US', 'de'], 'en']
    ];
    for (const [wishes, tag] of cases) expect(pickLanguage(wishes)).toBe(tag);
  });

  it('fill their gaps, and take nothing that fills one for a gap', () => {
    expect(fill('{from} to {until}', { from: '{until}', until: 'b' }, 'en')).toBe('{until} to b');
    expect(fill('{count}', { count: 1234567 }, 'de-DE')).toBe('1.234.567');
    const forms = { one: '{count} file', other: '{count} files' };
    expect(fill(forms, { count: 1 }, 'en')).toBe('1 file');
    expect(fill(forms, { count: 0 }, 'en')).toBe('0 files');
  });
});
