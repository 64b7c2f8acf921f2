import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });

beforeAll(async () => {
  const { page } = await visit('/add');
  const picture = readFileSync('../testdata/faces/astronaut.jpg');
  // What follows the end of a picture makes it another one.
  const files = ['1.jpg', '2.jpg', '3.jpg'].map((name) => ({
    name,
    mimeType: 'image/jpeg',
    buffer: Buffer.concat([picture, Buffer.from(name)])
  }));
  await page.locator('[data-testid=files]').setInputFiles(files);
  await page.getByText('3 of 3 files are there').waitFor();
  await until(async () => {
    const people = await heirloom.get<{ items: { face_count: number }[] }>('/api/v1/people');
    return people.items.some((it) => it.face_count === 3);
  });
}, 90_000);

test('somebody is named, is found, and is nobody again when that is taken back', async () => {
  const { page } = await visit('/people');
  await page.getByRole('heading', { name: 'Who is this?' }).waitFor();
  const input = page.getByRole('combobox', { name: /Somebody 1$/ });
  await input.fill('Eileen');
  await page.keyboard.press('Enter');
  const link = page.getByRole('link', { name: 'Eileen' });
  await link.waitFor();
  expect(await violations(page)).toEqual([]);
  await link.click();
  await page.getByRole('heading', { name: 'Eileen', level: 1 }).waitFor();
  await page.getByRole('checkbox', { name: 'Face 2 of 3' }).check();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Another person' }).click();
  await until(async () => (await page.getByRole('checkbox').count()) === 2);
  await page.getByRole('link', { name: 'Search' }).last().click();
  await until(async () => (await page.locator('.assets a').count()) === 2);
  await page.goto(`${heirloom.address}/people`);
  await page.getByText('What was said last').click();
  // The last of it first, by keyboard.
  for (const left of [1, 0]) {
    await page
      .getByRole('button', { name: /^Take back: / })
      .first()
      .focus();
    await page.keyboard.press('Enter');
    await until(
      async () => (await page.getByRole('button', { name: /^Take back: / }).count()) === left
    );
  }
  await until(async () => (await link.count()) === 0);
});

test('on a small phone, in German and in the dark, people are seen as well', async () => {
  const small = { viewport: { width: 320, height: 640 }, locale: 'de-DE' };
  const { page } = await visit('/people', { ...small, colorScheme: 'dark' });
  await page.getByRole('heading', { name: 'Wer ist das?' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
  const large = { ...small, settings: { textSize: 200 } };
  const read = await visit('/people', large);
  await read.page.getByRole('heading', { name: 'Wer ist das?' }).waitFor();
  expect(await overflowOf(read.page)).toBeLessThanOrEqual(0);
  await page.getByRole('link', { name: 'Jemand 1', exact: true }).click();
  await page.getByRole('heading', { name: 'Wer ist das?', level: 1 }).waitFor();
  // What lies below the bar at the bottom is reached when it is scrolled to.
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
