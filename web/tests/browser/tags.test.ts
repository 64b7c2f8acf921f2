import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
let cat: string;

beforeAll(async () => {
  cat = await heirloom.asset('Chelsea.png');
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: [cat]
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
}, 60_000);

test('a tag of the machine is denied with one touch, taken back, and confirmed', async () => {
  const { page } = await visit(`/assets/${cat}`);
  const panel = page.getByRole('region', { name: 'Tags' });
  await panel.getByText(/seen by a machine, \d+ % sure/).waitFor();
  await panel.getByRole('button', { name: 'Not so: cat' }).click();
  await panel.getByText('Not cat').waitFor();
  const isFound = async () => {
    const { items } = await heirloom.get<{ items: { id: string }[] }>(
      '/api/v1/search?q=tag%3Akatze&limit=50'
    );
    return items.some(({ id }) => id === cat);
  };
  expect(await isFound()).toBe(false);
  await panel.getByRole('button', { name: 'Take back: cat' }).click();
  await panel.getByRole('button', { name: 'Right: cat' }).click();
  await panel.getByRole('button', { name: 'Take back: cat' }).waitFor();
  expect(await panel.getByText('seen by a machine').count()).toBe(0);
  expect(await isFound()).toBe(true);
  expect(await violations(page)).toEqual([]);
  await panel.getByRole('button', { name: 'Take back: cat' }).click();
  await panel.getByRole('button', { name: 'Right: cat' }).waitFor();
});

test('on a small phone, in German and in the dark, it is called what it is called there', async () => {
  const { page } = await visit(`/assets/${cat}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  const panel = page.getByRole('region', { name: 'Stichwörter' });
  await panel.getByText('vom Rechner gesehen').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
  await panel.getByRole('link', { name: 'Katze' }).click();
  await page.locator('.assets a').first().waitFor();
});
