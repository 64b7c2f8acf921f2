import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ isEmpty: true });

const groups = async (query = '') =>
  (await heirloom.get<{ items: { why: string }[] }>(`/api/v1/duplicates${query}`)).items;

beforeAll(async () => {
  const { page } = await visit('/add');
  const jpeg = readFileSync('../testdata/pictures/baseline.jpg');
  const bus = readFileSync('../testdata/sample/2002 Summer in Europe/The 104 to Poole.jpg');
  const file = (name: string, mimeType: string, buffer: Buffer) => ({ name, mimeType, buffer });
  await page.locator('[data-testid=files]').setInputFiles([
    file('Cat.jpg', 'image/jpeg', jpeg),
    file('Cat.png', 'image/png', readFileSync('../testdata/pictures/chelsea.png')),
    file('Cat turned.jpg', 'image/jpeg', readFileSync('../testdata/pictures/orientation_5.jpg')),
    // What follows the end of a picture makes it another file with the very same picture.
    file('Bus.jpg', 'image/jpeg', bus),
    file('Bus (1).jpg', 'image/jpeg', Buffer.concat([bus, Buffer.from('1')]))
  ]);
  await page.getByText('5 of 5 files are there').waitFor();
  await until(async () => (await groups()).length === 2);
}, 90_000);

test('one is kept, the others are rejected, and all of it is taken back', async () => {
  const { page } = await visit('/duplicates');
  const cat = page.getByRole('region', { name: 'They show the same' });
  await cat.getByText('Suggested:').waitFor();
  expect(await violations(page)).toEqual([]);
  await cat.getByRole('button', { name: 'Keep this one: Cat.png' }).click();
  await cat.waitFor({ state: 'detached' });
  expect(await groups('?decided=true')).toHaveLength(1);
  await page.getByRole('link', { name: 'Decided' }).click();
  await cat.getByText('Rejected').first().waitFor();
  expect(await cat.getByText('Rejected').count()).toBe(2);
  expect(await violations(page)).toEqual([]);
  // By keyboard.
  await page.getByText('What was decided last').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Take back: 2 pictures rejected' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was decided so far.').waitFor();
  await page.getByRole('link', { name: 'To decide' }).click();
  await cat.waitFor();
});

test('what is not the same is apart, and comes back', async () => {
  const { page } = await visit('/duplicates?why=exact');
  const bus = page.getByRole('region', { name: 'The very same picture' });
  await bus.getByRole('button', { name: 'They do not belong together' }).click();
  await page.getByText('Nothing here is there twice.').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Take back' }).click();
  await bus.waitFor();
});

test('on a small phone, in German and in the dark, duplicates are decided as well', async () => {
  const { page } = await visit('/duplicates', {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page.getByRole('heading', { name: /^Sie zeigen dasselbe/ }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
