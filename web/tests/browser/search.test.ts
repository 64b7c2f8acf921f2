import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { visit } = atHome();

const optionsOf = (page: Page) => page.locator('[role="listbox"]').getByRole('option');
const boxOf = (page: Page) => page.getByRole('combobox', { name: 'What are you looking for?' });
const isQuery = (page: Page, query: string) =>
  until(async () => new URL(page.url()).searchParams.get('q') === query);

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
  const { page, allow } = await visit('/search?q=strand%20kammera%3Aleica', { locale: 'de-DE' });
  allow(/400 \(Bad Request\)/);
  await page.getByText('Ein Feld „kammera:“ gibt es nicht.').waitFor();
  await page.getByRole('button', { name: 'Ohne das suchen' }).click();
  await until(async () => new URL(page.url()).searchParams.get('q') === 'strand');
});

test('nothing found says so', async () => {
  const { page } = await visit('/search?q=gibtesnicht');
  await page.getByText('Nothing was found.').waitFor();
});

test('what is typed is gone on with by keys alone, from the field to its values', async () => {
  const { page } = await visit('/search');
  const box = boxOf(page);
  const chosen = () =>
    box.evaluate((it) => {
      const id = it.getAttribute('aria-activedescendant');
      return id && document.getElementById(id)?.getAttribute('aria-selected');
    });
  await box.pressSequentially('pla');
  await page.getByRole('option', { name: /^place:/ }).waitFor();
  expect(await box.getAttribute('aria-expanded')).toBe('true');
  expect(await chosen()).toBe(null);
  await page.keyboard.press('ArrowDown');
  await until(async () => (await chosen()) === 'true');
  await page.keyboard.press('Enter');
  await until(async () => (await box.inputValue()) === 'place:');
  // Its values follow at once.
  await optionsOf(page).nth(1).waitFor();
  await box.pressSequentially('BREM');
  await page.getByRole('option', { name: /^Bremen Place in \d+ items?/ }).waitFor();
  await until(async () => (await optionsOf(page).count()) === 1);
  await page.getByRole('status').filter({ hasText: '1 suggestion' }).waitFor();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await until(async () => (await box.inputValue()) === 'place:Bremen ');
  expect(await optionsOf(page).count()).toBe(0);
  await page.keyboard.press('Enter');
  await isQuery(page, 'place:Bremen');
  await page.locator('.assets li').first().waitFor();
  // A place that is called as its region is is named once.
  const why = await page.locator('.assets .why').first().innerText();
  expect(why.match(/Bremen/g)).toHaveLength(1);
});

test('Escape takes the suggestions away and leaves what is typed', async () => {
  const { page } = await visit('/search');
  const box = boxOf(page);
  await box.pressSequentially('type:');
  await optionsOf(page).first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  await until(async () => (await box.getAttribute('aria-expanded')) === 'false');
  expect(await box.inputValue()).toBe('type:');
  // They come back when they are asked for, and a tap chooses one.
  await page.keyboard.press('ArrowDown');
  await page.getByRole('option', { name: /^video/ }).click();
  await until(async () => (await box.inputValue()) === 'type:video ');
  expect(await box.evaluate((it) => it === document.activeElement)).toBe(true);
});

test('suggestions speak the language of the reader', async () => {
  const { page } = await visit('/search', { locale: 'de-DE' });
  const box = page.getByRole('combobox', { name: 'Wonach suchen Sie?' });
  await box.pressSequentially('art:fi');
  await page.getByRole('option', { name: /^film Art/ }).click();
  await until(async () => (await box.inputValue()) === 'art:film ');
  await page.keyboard.press('Enter');
  await isQuery(page, 'art:film');
  await page.getByRole('button', { name: 'Weglassen: Art: Film' }).waitFor();
});

test('whoever types is never held up by a server that is slow or away', async () => {
  const { page, allow } = await visit('/search');
  allow(/ERR_FAILED|ERR_INTERNET_DISCONNECTED/);
  let asked = 0;
  await page.route('**/api/v1/search/suggestions*', async (route) => {
    asked += 1;
    if (route.request().url().includes('gran')) return; // No answer ever comes.
    await route.abort();
  });
  const box = boxOf(page);
  await box.pressSequentially('x');
  await until(() => Promise.resolve(asked > 0));
  await box.fill('grandmother');
  await until(() => Promise.resolve(asked > 1));
  await page.keyboard.press('Enter');
  await isQuery(page, 'grandmother');
  await page.locator('.assets li').first().waitFor();
  expect(await optionsOf(page).count()).toBe(0);
});

test('what was looked at has the focus again in the list that one comes back to', async () => {
  const { page } = await visit('/search?q=type%3Aimage');
  const focused = (name: RegExp) =>
    until(() =>
      page.evaluate(
        (it) => new RegExp(it).test(document.activeElement?.textContent ?? ''),
        name.source
      )
    );
  const link = page.locator('.assets a').nth(3);
  const name = await link.locator('.name').innerText();
  const own = new RegExp(name.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  await link.click();
  await page.getByRole('link', { name: 'Back to the list' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.assets li').first().waitFor();
  await focused(own);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await page.locator('.assets li').first().waitFor();
  await focused(own);
  expect(await page.evaluate(() => document.activeElement?.localName)).toBe('a');
});

test('the list of the library gives the focus back as well', async () => {
  const { page } = await visit('/', { settings: { libraryView: 'list' } });
  const link = page.locator('.assets a').nth(2);
  const address = (await link.getAttribute('href'))!;
  await link.click();
  await page.getByRole('link', { name: 'Back to the list' }).waitFor();
  await page.keyboard.press('Escape');
  await until(() =>
    page.evaluate((href) => document.activeElement?.getAttribute('href') === href, address)
  );
});
