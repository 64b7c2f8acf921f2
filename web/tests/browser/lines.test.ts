import { beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
let letter: string;
let pages: string;

interface Read {
  text: string;
  pages: { blocks: { lines: { text: string; correction_id: string | null }[] }[] }[];
}

beforeAll(async () => {
  letter = await heirloom.asset('1944-05-30 Karl to Anna, page 1.jpg');
  pages = await heirloom.asset('1944-03-12 Anna to Karl.tif');
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: [letter, pages]
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
}, 60_000);

const lines = (page: Page) => page.getByRole('list', { name: 'Lines on this page' });
const field = (page: Page) => page.getByRole('textbox', { name: 'What is written in this line' });
const hasFocus = (page: Page, words: string) =>
  until(() => page.evaluate((it) => document.activeElement!.textContent!.includes(it), words));
const found = async (query: string) => {
  const { items } = await heirloom.get<{ items: unknown[] }>(`/api/v1/search?q=${query}`);
  return items.length;
};

test('a letter is read through and corrected by keyboard alone, and taken back', async () => {
  const { page } = await visit(`/assets/${letter}`);
  await page.getByRole('link', { name: 'Read it line by line' }).click();
  await page.waitForURL(`**/assets/${letter}/reading`);
  const all = lines(page).getByRole('button');
  await all.first().waitFor();
  const before = await all.allInnerTexts();
  const at = before.findIndex((text) => text.includes('harbour'));
  // One line can be reached by Tab, the others by arrows.
  expect(await lines(page).locator('[tabindex="0"]').count()).toBe(1);
  await all.first().focus();
  const sheet = page.locator('.sheet');
  const shown = await sheet.getAttribute('style');
  for (let i = 0; i < at; i += 1) await page.keyboard.press('ArrowDown');
  await hasFocus(page, 'harbour');
  // The scan has followed.
  expect(await sheet.getAttribute('style')).not.toBe(shown);
  expect(await violations(page)).toEqual([]);

  await page.keyboard.press('Enter');
  await until(() => field(page).evaluate((it) => it === document.activeElement));
  await field(page).fill('I walked down to the Hafen');
  // The scan goes along with what is typed in a line, and what was typed is left by Escape.
  await page.keyboard.press('Escape');
  await hasFocus(page, 'harbour');
  await page.keyboard.press('Enter');
  await field(page).fill('I walked down to the Hafen');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Enter');
  // It goes on with the next line at once.
  const next = before[at + 1]!.trim().split('\n')[0]!;
  await until(async () => (await field(page).inputValue()).startsWith(next.slice(0, 8)));
  await lines(page).getByText('I walked down to the Hafen').waitFor();
  expect([await found('hafen'), await found('harbour')]).toEqual([1, 0]);

  // What was kept is said where it covers no line, and can be taken back there.
  const told = (await page.locator('.told').boundingBox())!;
  const list = (await lines(page).boundingBox())!;
  expect(told.y + told.height).toBeLessThanOrEqual(list.y + 1);
  await page.locator('.told').getByRole('button', { name: 'Take back' }).click();
  await lines(page).getByText('harbour').waitFor();
  expect(await found('hafen')).toBe(0);
});

test('a correction says who made it, what the machine read and what was said before', async () => {
  const { page } = await visit(`/assets/${letter}/reading`);
  const line = lines(page).getByRole('button').filter({ hasText: 'harbour' });
  const before = (await line.locator('.text').innerText()).trim();
  for (const text of ['down to the harbor to see it', 'down to the Hafen to see it']) {
    await lines(page)
      .getByRole('button')
      .filter({ hasText: /harbou?r/ })
      .click();
    await field(page).fill(text);
    await page.keyboard.press('ArrowUp');
    await lines(page).getByText(text).waitFor();
    await page.keyboard.press('Escape');
  }
  const corrected = lines(page).getByRole('button').filter({ hasText: 'Hafen' });
  expect(await corrected.innerText()).toContain('Corrected');
  await corrected.click();
  await page.getByText('Written down by you on').first().waitFor();
  await page.getByText(`The machine read: ${before}`).waitFor();
  await page.getByText('What was said of it before').click();
  await page.getByText('down to the harbor to see it').waitFor();
  await page.getByRole('button', { name: 'Take the correction back' }).click();
  // The word before holds again.
  await lines(page).getByRole('button').filter({ hasText: 'harbor' }).click();
  await page.getByRole('button', { name: 'Take the correction back' }).click();
  await line.click();
  await page.getByRole('button', { name: 'Nothing is written here' }).click();
  await line.waitFor({ state: 'detached' });
  await page.getByText('Taken out because nothing is written there').click();
  await page.locator('section details').last().getByRole('button', { name: 'Take back' }).click();
  await line.waitFor();
});

test('a line that was missed is added by keyboard, and by drawing', async () => {
  const { page } = await visit(`/assets/${letter}/reading`);
  const last = lines(page).getByRole('button').last();
  await last.focus();
  await page.getByRole('button', { name: 'Add a line' }).focus();
  await page.keyboard.press('Enter');
  const frame = page.getByRole('group', { name: 'Frame around the line' });
  await until(() => frame.evaluate((it) => it === document.activeElement));
  expect(await violations(page)).toEqual([]);
  const box = (await frame.boundingBox())!;
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+ArrowLeft');
  await until(async () => {
    const moved = (await frame.boundingBox())!;
    return moved.y > box.y && moved.width < box.width;
  });
  await page.keyboard.press('Enter');
  await field(page).fill('In haste, Karl');
  await page.keyboard.press('Enter');
  await lines(page).getByText('In haste, Karl').waitFor();
  expect(await found('%22in%20haste%22')).toBe(1);

  await page.getByRole('button', { name: 'Add a line' }).click();
  // The sheet comes to rest before somebody draws on it.
  await frame.waitFor();
  await until(() =>
    page.evaluate(() => !document.getAnimations().some((it) => it instanceof CSSTransition))
  );
  const sheet = (await page.locator('.sheet img').first().boundingBox())!;
  const [x, y] = [sheet.x + sheet.width / 2, sheet.y + sheet.height * 0.03];
  await page.mouse.move(x - 80, y - 8);
  await page.mouse.down();
  await page.mouse.move(x + 80, y + 8, { steps: 4 });
  await page.mouse.up();
  const drawn = (await frame.boundingBox())!;
  expect(Math.abs(drawn.width - 160)).toBeLessThan(6);
  await page.getByRole('button', { name: 'Write the line' }).click();
  await field(page).fill('No. 7');
  await page.keyboard.press('Enter');
  await lines(page).getByText('No. 7').waitFor();
  const read = await heirloom.get<Read>(`/api/v1/assets/${letter}/reading`);
  expect(read.text.startsWith('No. 7')).toBe(true);
});

test('of several pages each has its lines', async () => {
  const { page } = await visit(`/assets/${pages}/reading?page=3`);
  await page.getByText('Page 3 of 3').waitFor();
  await lines(page).getByText('books in the big chest').waitFor();
  await page.getByRole('button', { name: 'Next line to check' }).click();
  await field(page).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Previous page' }).click();
  await page.getByText('Page 2 of 3').waitFor();
  expect(await lines(page).getByText('books in the big chest').count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Back to the picture' }).click();
  await page.waitForURL(`**/assets/${pages}?page=2`);
});

test('on a small phone, in German and in the dark, the scan stands above its line', async () => {
  for (const textSize of [100, 200]) {
    const { page } = await visit(`/assets/${letter}/reading`, {
      viewport: { width: 320, height: 640 },
      locale: 'de-DE',
      colorScheme: 'dark',
      settings: { textSize }
    });
    const all = page.getByRole('list', { name: 'Zeilen auf dieser Seite' }).getByRole('button');
    await all.nth(2).click();
    const input = page.getByRole('textbox', { name: 'Was in dieser Zeile steht' });
    await input.waitFor();
    await until(async () => {
      const [scan, typed] = [await page.locator('.scan').boundingBox(), await input.boundingBox()];
      return scan!.y + scan!.height <= typed!.y && typed!.y - scan!.y - scan!.height < 24;
    });
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expect(await violations(page)).toEqual([]);
  }
});
