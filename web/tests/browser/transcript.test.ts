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
