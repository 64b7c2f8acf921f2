import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
const NAME = '1961-01-20 Kennedy on the radio.mp3';
let id: string;

beforeAll(async () => {
  id = await heirloom.asset(NAME);
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: [id]
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
}, 60_000);

test('what is said is found, opens where it is said, and leads to any other moment', async () => {
  const { page } = await visit('/search?q=%22your%20country%22');
  await page.getByText('Said:').waitFor();
  await page.locator('.assets a').first().click();
  const player = page.locator('audio');
  const at = () => player.evaluate((it: HTMLMediaElement) => it.currentTime);
  await until(async () => (await at()) > 2);

  const panel = page.getByRole('list', { name: 'What is said' });
  await panel.getByRole('button').first().waitFor();
  const marked = panel.locator('[aria-current="true"]');
  await until(async () => (await marked.count()) === 1);
  expect(await marked.innerText()).toContain('country');
  await player.evaluate((it: HTMLMediaElement) => (it.muted = true));
  await panel.getByRole('button').first().focus();
  await page.keyboard.press('Enter');
  await until(async () => (await at()) < 2.5);
  // The word that is being said is marked while it plays.
  await panel.locator('mark').first().waitFor();
  await page.getByText('in English').waitFor();
  expect(await violations(page)).toEqual([]);
});

test('what was heard wrong is corrected where it stands, and taken back', async () => {
  const { page } = await visit(`/assets/${id}`);
  const panel = page.getByRole('list', { name: 'What is said' });
  const first = panel.getByRole('listitem').first();
  const before = await first.locator('.said').innerText();
  await page.getByRole('button', { name: `Correct: ${before}` }).focus();
  await page.keyboard.press('Enter');
  const text = page.getByRole('textbox', { name: 'What is said here' });
  // What is typed in has the focus, and what is said is heard meanwhile.
  await until(async () => await text.evaluate((it) => it === document.activeElement));
  const player = page.locator('audio');
  await until(async () => player.evaluate((it: HTMLMediaElement) => !it.paused));
  await text.fill('And so, my fellow Heirlooms:');
  await page.getByRole('combobox', { name: 'Who says it' }).fill('The President');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Control+Enter');
  await first.getByText('And so, my fellow Heirlooms:').waitFor();
  await panel.getByText('The President').waitFor();
  // The keyboard stays where it was.
  const pencil = first.getByRole('button', { name: 'Corrected by somebody' });
  await until(async () => await pencil.evaluate((it) => it === document.activeElement));
  const found = await heirloom.get<{ items: { id: string }[] }>(
    '/api/v1/search?q=heirlooms%20person:president'
  );
  expect(found.items.map((it) => it.id)).toEqual([id]);

  await pencil.click();
  await page.getByRole('button', { name: 'Take the correction back' }).click();
  await first.getByText(before).waitFor();
  await first.getByRole('button', { name: 'Correct: ' }).click();
  await page.getByRole('button', { name: 'Nothing is said here' }).click();
  await page.getByText('Taken out because nothing is said there').click();
  expect(await panel.getByText(before, { exact: true }).count()).toBe(0);
  await page.getByRole('listitem').filter({ hasText: before }).getByRole('button').click();
  await first.getByText(before).waitFor();
});

test('a recording is heard again in the language that somebody says', async () => {
  const { page } = await visit(`/assets/${id}`);
  await page.getByText('Is it another language?').click();
  await page.getByRole('combobox', { name: 'It is spoken in' }).selectOption('Dutch');
  await page.getByRole('button', { name: 'Hear it again' }).click();
  await page.getByText('It is being heard again, in Dutch.').waitFor();
  await page.getByText('in Dutch; it is').waitFor();
  await page.getByRole('combobox', { name: 'It is spoken in' }).selectOption('English');
  await page.getByRole('button', { name: 'Hear it again' }).click();
  await page.getByText('in English; it is').waitFor();
});

test('a voice that was named in one recording is known again in another, if somebody says so', async () => {
  const recordings = [1, 3].map((n) => `Grandmother reads Austen ${n}.wav`);
  const ids = await Promise.all(recordings.map((name) => heirloom.asset(name)));
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: ids
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
  const voices = await heirloom.get<{ items: { at: object }[] }>(`/api/v1/assets/${ids[0]}/voices`);
  const jane = { kind: 'speaker', value: 'Jane', at: voices.items[0]!.at };
  await heirloom.post(`/api/v1/assets/${ids[0]}/claims`, { ...jane, confidence: 1, source: '' });

  const { page } = await visit(`/assets/${ids[1]}`);
  await page.getByText('The voice sounds like Jane.').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'No', exact: true }).click();
  const asked = page.getByRole('button', { name: 'Yes, it is Jane' });
  await asked.waitFor({ state: 'detached' });
  // It is remembered, and may be taken back.
  await page.reload();
  await page.getByText('The voice: also heard in 1 other recording').waitFor();
  expect(await asked.count()).toBe(0);
  await page.getByText('Who it is not').click();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Jane' })
    .getByRole('button', { name: 'Take back' })
    .click();
  await asked.click();
  const panel = page.getByRole('list', { name: 'What is said' });
  await panel.getByText('Jane').first().waitFor();
  await page.getByText('Jane: also heard in 1 other recording').click();
  await page.getByRole('link', { name: 'Grandmother reads Austen 1' }).click();
  await page.waitForURL(`**/assets/${ids[0]}`);
}, 120_000);

test('on a small phone, in German and in the dark, it is read as well', async () => {
  const { page } = await visit(`/assets/${id}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page.getByRole('list', { name: 'Was gesagt wird' }).waitFor();
  await page.getByText('auf Englisch').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
