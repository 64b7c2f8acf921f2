import { resolve } from 'node:path';
import { test } from 'vitest';
import { atHome, until } from './heirloom';

const { visit } = atHome({ isEmpty: true });

test('an empty library says how to begin, and a folder that is shown is read and prepared', async () => {
  const { page } = await visit('/');
  await page.getByText('Nothing is here yet.').waitFor();
  await page.getByRole('link', { name: 'Show a folder' }).click();
  await page.getByText('There is no archive yet.').waitFor();
  await page.getByRole('textbox', { name: 'Folder' }).fill(resolve('../testdata/sample/Pets'));
  await page.getByLabel(/^Name/).fill('Pets');
  await page.getByRole('button', { name: 'Read this folder' }).click();
  const card = page.locator('li.card', { hasText: 'Pets' });
  await until(async () => (await card.innerText()).includes('Done'));
  await card.getByRole('link', { name: 'Show what is in it' }).click();
  await page.locator('.assets li').first().waitFor();
  // What is found is prepared right away, and the library shows it.
  await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).click();
  const run = page.locator('li.card', { hasText: 'Preparing' });
  await until(async () => (await run.innerText()).includes('Done'));
  await page.getByRole('navigation').getByRole('link', { name: 'Library' }).click();
  await page.locator('.grid img.here').first().waitFor();
});
