import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

// Nobody is in it but who is brought: what else is known of people depends on which models prepared the sample library.
const { heirloom, visit } = atHome({ isEmpty: true, understands: true });

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

test('groups are parted, joined at once, never joined and left out, by keyboard', async () => {
  const { page } = await visit('/people');
  const press = async (name: RegExp | string) => {
    await page.getByRole('button', { name }).first().focus();
    await page.keyboard.press('Enter');
  };
  const choose = async () => {
    for (const who of ['Somebody 1', 'Somebody 2']) {
      await page.getByRole('checkbox', { name: `Choose: ${who}` }).focus();
      await page.keyboard.press('Space');
    }
    await page.getByText('2 chosen').waitFor();
  };
  const groups = async () =>
    (await heirloom.get<{ items: unknown[] }>('/api/v1/people')).items.length;
  await page.getByRole('link', { name: 'Somebody 1', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Face 2 of 3' }).focus();
  await page.keyboard.press('Space');
  await press('Another person');
  await until(async () => (await page.getByRole('checkbox').count()) === 2);
  await page.goto(`${heirloom.address}/people`);
  await choose();
  expect(await violations(page)).toEqual([]);
  await press('They are one person');
  await page.getByRole('status').getByText('3 faces put together').waitFor();
  expect(await groups()).toBe(1);
  // One step for all of them.
  await page.getByRole('status').getByRole('button', { name: 'Take back' }).click();
  await until(async () => (await groups()) === 2);
  await page.getByRole('checkbox', { name: 'Choose: Somebody 2' }).waitFor();
  await choose();
  await press('Never the same person');
  await page.getByRole('status').getByText('1 face kept apart').waitFor();
  expect(await groups()).toBe(2);
  await press('Nobody we know: Somebody 2');
  await until(async () => (await groups()) === 1);
  await press('Those left out');
  await press('Show again');
  await page.getByText('Nobody is left out.').waitFor();
  expect(await groups()).toBe(2);
  await press('Those shown');
  await page.getByText('What was said last').click();
  for (;;) {
    const undo = page.getByRole('button', { name: /^Take back: / });
    const left = await undo.count();
    if (left === 0) break;
    await press(/^Take back: /);
    await until(async () => (await undo.count()) === left - 1);
  }
  expect(await groups()).toBe(1);
});

test('all that was said is listed, however much it is', async () => {
  const { items } = await heirloom.get<{ items: { group: string }[] }>('/api/v1/people');
  const of = [items[0]!.group];
  for (let n = 0; n < 31; n += 1) {
    const said = { faces: [], of, what: n % 2 === 0 ? 'stranger' : 'back' };
    await heirloom.post('/api/v1/people/said', said);
  }
  const { page } = await visit('/people?aside');
  await page.getByText('What was said last').click();
  const said = page.locator('details li');
  await until(async () => (await said.count()) === 30);
  await page.getByRole('button', { name: 'Show more' }).click();
  await until(async () => (await said.count()) > 30);
  await page.getByRole('button', { name: 'Show again' }).click();
  await page.getByText('Nobody is left out.').waitFor();
});

test('machines look for all faces anew, and no word of a person is lost', async () => {
  const { page } = await visit('/people');
  await page.getByRole('combobox', { name: /Somebody 1$/ }).fill('Eileen');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Eileen' }).waitFor();
  await page.getByText('Look for faces anew', { exact: true }).click();
  const begin = page.getByRole('button', { name: 'Look for all faces anew …' });
  await begin.click();
  const dialog = page.getByRole('dialog', { name: 'Look for all faces anew?' });
  await dialog.getByText('No word of a person is removed').waitFor();
  expect(await violations(page)).toEqual([]);
  // Who thinks better of it has changed nothing.
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await page.getByRole('link', { name: 'Eileen' }).count()).toBe(1);
  await begin.click();
  await dialog.getByRole('button', { name: 'Look anew' }).click();
  await page.getByText('Faces are looked for anew in 3 pictures and films.').waitFor();
  await until(async () => {
    const people = await heirloom.get<{ items: { name: string; face_count: number }[] }>(
      '/api/v1/people'
    );
    return people.items.some((it) => it.name === 'Eileen' && it.face_count === 3);
  });
  await page.reload();
  await page.getByRole('link', { name: 'Eileen' }).waitFor();
  await page.getByText('What was said last').click();
  await page.getByRole('button', { name: 'Take back: 3 faces: Eileen' }).first().click();
  await page.getByRole('heading', { name: 'Who is this?' }).waitFor();
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
