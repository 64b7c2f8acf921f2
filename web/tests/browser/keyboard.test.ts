import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { heirloom, visit } = atHome();

/** Presses Tab until something with this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const it = document.activeElement as HTMLElement | null;
      const label = it?.id
        ? document.querySelector(`label[for="${CSS.escape(it.id)}"]`)?.textContent
        : '';
      return `${it?.getAttribute('aria-label') ?? ''} ${it?.textContent ?? ''} ${label ?? ''}`;
    });
    if (name.test(focused)) return;
  }
  throw new Error(`tab never leads to ${name}`);
}

test('from the library to a picture, something said about it, and taken back: by keys alone', async () => {
  const { page } = await visit('/');
  await page.locator('.grid a').first().waitFor();
  await tabTo(page, /Skip to the content/);
  await page.keyboard.press('Enter');
  await tabTo(page, /PXL_20230506.*Picture/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'PXL_20230506_081500123.jpg', level: 1 }).waitFor();

  await tabTo(page, /Say something about it/);
  await page.keyboard.press('Enter');
  await until(async () =>
    page.getByLabel('What is it called?').evaluate((it) => it === document.activeElement)
  );
  await page.keyboard.type('Coffee in Bremen');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Coffee in Bremen', level: 1 }).waitFor();
  await page.getByText('you said', { exact: true }).waitFor();

  await tabTo(page, /Take back: Title, Coffee in Bremen/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'PXL_20230506_081500123.jpg', level: 1 }).waitFor();
  const id = await heirloom.asset('PXL_20230506_081500123.jpg');
  const detail = await heirloom.get<{ claims: { kind: string; undone_at_ms?: number }[] }>(
    `/api/v1/assets/${id}`
  );
  const title = detail.claims.find((claim) => claim.kind === 'title');
  expect(title?.undone_at_ms).toBeGreaterThan(0);

  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
  // One goes on from where one was.
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await until(async () => /PXL_20230506/.test(await focused()));

  await page.getByRole('button', { name: 'Go to a date' }).focus();
  await page.keyboard.press('Enter');
  await until(async () => page.getByLabel('Year').evaluate((it) => it === document.activeElement));
  await page.keyboard.type('1944');
  await page.keyboard.press('Enter');
  await until(async () => /Anna|Karl/.test(await focused()));
});

test('what a machine said can be denied, and a date is understood as people say it', async () => {
  const { page } = await visit(`/assets/${await heirloom.asset('Grand-père Lucien.m4a')}`);
  await page.getByRole('button', { name: /Not so: Title, Sous le consulat/ }).click();
  await page.getByRole('heading', { name: 'Grand-père Lucien.m4a', level: 1 }).waitFor();
  await page.getByText('Denied and taken back').click();
  await page.getByText('Not so: Title, Sous le consulat').waitFor();
  await page.locator('.past').getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('heading', { name: 'Sous le consulat', level: 1 }).waitFor();

  await page.getByRole('button', { name: 'Say something about it' }).click();
  await page.getByLabel('About', { exact: true }).selectOption('date');
  await page.getByLabel('When was it?').fill('nonsense');
  await page.getByText('This is not understood as a date yet.').waitFor();
  await page.getByLabel('When was it?').fill('about 1950');
  await page.getByText('Understood: about 1950').waitFor();
  await page.getByLabel(/How do you know/).fill('Aunt Ida');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('about 1950 · Recording').waitFor();
  await page.getByText('you said (Aunt Ida)').waitFor();
  await page.getByText('but also: July 2004').waitFor();
});

test('a question mark shows the keys, and they can be switched off', async () => {
  const { page } = await visit('/settings');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByLabel('Single keys do something').uncheck();
  await page.locator('h1').click();
  await page.keyboard.press('?');
  await page.keyboard.press('/');
  await page.waitForTimeout(200);
  expect(await dialog.count()).toBe(0);
  expect(new URL(page.url()).pathname).toBe('/settings');
  await page.getByLabel('Single keys do something').check();
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await until(async () =>
    page.getByLabel('What are you looking for?').evaluate((it) => it === document.activeElement)
  );
});
