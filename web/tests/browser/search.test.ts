import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { visit } = atHome();

test('what was found says why, and chips take terms away', async () => {
  const { page } = await visit('/search');
  await page.getByLabel('What are you looking for?').fill('grandmother type:audio');
  await page.keyboard.press('Enter');
  const results = page.locator('.assets li');
  await results.first().waitFor();
  expect(await results.first().locator('mark').first().innerText()).toBe('Grandmother');
  await page.getByRole('heading', { name: /^Found: \d+$/ }).waitFor();
  await page.getByRole('button', { name: 'Leave out: grandmother' }).click();
  await until(async () => new URL(page.url()).searchParams.get('q') === 'type:audio');
  await until(async () => (await results.count()) > 5);

  await page.getByText('Narrow it down').click();
  await page.getByLabel('By', { exact: true }).selectOption('date');
  await page.getByLabel('What', { exact: true }).fill('July 2004');
  await page.getByRole('button', { name: 'Add to the search' }).click();
  await until(async () => new URL(page.url()).searchParams.get('q') === 'type:audio date:2004-07');
  await page.getByRole('link', { name: /Sous le consulat/ }).click();
  await page.getByRole('heading', { name: 'Sous le consulat', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await page.getByRole('link', { name: /Sous le consulat/ }).waitFor();
  expect(new URL(page.url()).searchParams.get('q')).toBe('type:audio date:2004-07');
});

test('what cannot be read is explained in the language of the reader, with a way out', async () => {
  const { page, allow } = await visit('/search?q=strand%20kamera%3Aleica', { locale: 'de-DE' });
  allow(/400 \(Bad Request\)/);
  await page.getByText('Ein Feld „kamera:“ gibt es nicht.').waitFor();
  await page.getByRole('button', { name: 'Ohne das suchen' }).click();
  await until(async () => new URL(page.url()).searchParams.get('q') === 'strand');
});

test('nothing found says so', async () => {
  const { page } = await visit('/search?q=gibtesnicht');
  await page.getByText('Nothing was found.').waitFor();
});
