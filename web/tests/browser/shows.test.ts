import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });

beforeAll(async () => {
  const cat = await heirloom.asset('Chelsea.png');
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: [cat]
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
}, 60_000);

test('without a model that sees, what is called something like it is found, and that is said', async () => {
  const { page } = await visit(`/search?q=${encodeURIComponent('shows:"a small cat"')}`);
  await page
    .locator('.assets')
    .getByRole('link', { name: /Chelsea/ })
    .waitFor({ timeout: 60_000 });
  await page.getByText('No model that sees what pictures show is here.').waitFor();
  await page.getByRole('button', { name: 'Leave out: Shows: a small cat' }).waitFor();
  expect(await violations(page)).toEqual([]);
}, 90_000);

test('on a small phone, in German and in the dark, it says the same', async () => {
  const { page } = await visit(`/search?q=${encodeURIComponent('zeigt:Katze')}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page
    .getByText('Ein Modell, das sieht, was Bilder zeigen, ist nicht da.')
    .waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Weglassen: Zeigt: Katze' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
}, 90_000);
