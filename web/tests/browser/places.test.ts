import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome();

const names = (page: Page) => page.locator('ul.plain .name').allInnerTexts();

test('places open from country to region to town, down to a picture, and back', async () => {
  const { page } = await visit('/places');
  await page.getByRole('link', { name: /^Germany/ }).waitFor();
  expect(await names(page)).toEqual(expect.arrayContaining(['Germany', 'Italy']));
  await page.getByRole('link', { name: /^Germany/ }).click();
  await page.getByRole('heading', { name: 'Germany', level: 1 }).waitFor();
  await page.getByRole('link', { name: /Bremen/ }).click();
  await page.getByRole('heading', { name: /Bremen/, level: 1 }).waitFor();
  await page.getByRole('link', { name: /^Bremen/ }).click();
  const tiles = page.locator('.tiles a');
  await tiles.first().waitFor();
  const region = page.url();
  await tiles.first().click();
  await page.getByText('from the position').waitFor();
  await page
    .getByText(/Bremen, .*Germany/)
    .first()
    .waitFor();
  await page.goBack();
  await tiles.first().waitFor();
  expect(page.url()).toBe(region);
  await page.getByRole('link', { name: 'Back', exact: true }).click();
  await page.getByRole('link', { name: /^Bremen/ }).waitFor();
});

test('countries are called and ordered as the reader calls them', async () => {
  const { page } = await visit('/places', { locale: 'de-DE' });
  await page.getByRole('link', { name: /^Deutschland/ }).waitFor();
  const shown = await names(page);
  expect(shown).toContain('Vereinigtes Königreich');
  expect(shown.indexOf('Deutschland')).toBeLessThan(shown.indexOf('Vereinigtes Königreich'));
});

test('a name follows the position that somebody corrects', async () => {
  const id = await heirloom.asset('PXL_20230506_081500123.jpg');
  const said = await heirloom.post<{ id: string }>(`/api/v1/assets/${id}/claims`, {
    kind: 'position',
    value: { latitude: 53.8662, longitude: 10.6798 }
  });
  const { page } = await visit(`/assets/${id}`);
  await page.getByText(/Lübeck, Schleswig-Holstein/).waitFor();
  await heirloom.post(`/api/v1/assets/${id}/claims/${said.id}/undo`);
  await page.reload();
  await page.getByText('from the position').waitFor();
  expect(await page.getByText(/Lübeck/).count()).toBe(0);
});

test('a place that somebody types comes with its position, and any other stays a name', async () => {
  const { page } = await visit('/add');
  await page.locator('[data-testid=files]').setInputFiles({
    name: 'Postcard.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Greetings from the north!')
  });
  await until(async () => (await heirloom.asset('Postcard.txt')) !== '');
  const id = await heirloom.asset('Postcard.txt');
  const facts = async () => {
    const detail = await heirloom.get<{
      facts: { kind: string; believed: { value: unknown }[] }[];
    }>(`/api/v1/assets/${id}`);
    return detail.facts.flatMap(({ kind, believed }) =>
      believed.map(({ value }) => `${kind} ${JSON.stringify(value)}`)
    );
  };
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${heirloom.address}/assets/${id}`);
  const say = async () => {
    await page.getByRole('button', { name: 'Say something about it' }).click();
    await page.getByLabel('About', { exact: true }).selectOption('place');
    return page.getByRole('combobox', { name: 'Where was it?' });
  };
  const field = await say();
  await field.fill('Grandmother’s kitchen');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await until(async () => (await facts()).includes('place "Grandmother’s kitchen"'));
  expect((await facts()).some((fact) => fact.startsWith('position'))).toBe(false);

  const again = await say();
  await again.pressSequentially('tromsø');
  await page
    .getByRole('option', { name: /Tromsø.*Norway/ })
    .first()
    .waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText(/On the map: Tromsø, .*Norway/).waitFor();
  await page.keyboard.press('Enter');
  await until(async () => (await facts()).some((fact) => /position.*69\.6/.test(fact)));
  await page.goto(`${heirloom.address}/places?country=NO`);
  await page.getByRole('heading', { name: 'Norway', level: 1 }).waitFor();
  await page.getByRole('link', { name: /1 file/ }).waitFor();
});

/** How many colours there are in a part of the page, as it was painted. */
async function coloursOf(page: Page, selector: string): Promise<number> {
  const picture = await page.locator(selector).screenshot();
  return page.evaluate(
    async (address) => {
      const image = new Image();
      image.src = address;
      await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext('2d', { willReadFrequently: true })!;
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      const counts = new Map<number, number>();
      for (let at = 0; at < data.length; at += 4) {
        const colour = (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
      }
      // Those of which there is more than the edge of a letter.
      return [...counts.values()].filter((count) => count > 200).length;
    },
    `data:image/png;base64,${picture.toString('base64')}`
  );
}

test('the map is painted, its clusters are reached by keyboard, and the list has the same', async () => {
  const { page } = await visit('/places');
  await page.getByRole('button', { name: 'Show the map' }).click();
  const clusters = page.locator('.map .cluster');
  await clusters.first().waitFor();
  // Sea, land, a border or a cluster.
  await until(async () => (await coloursOf(page, '.map')) >= 3);
  await page.getByRole('heading', { name: 'What is on the map' }).waitFor();
  const counted = async () => {
    const labels = await clusters.evaluateAll((all) => all.map((it) => it.textContent));
    return labels.reduce((sum, label) => sum + Number(label), 0);
  };
  const listed = async () => {
    const notes = await page.locator('ul.plain .note').allInnerTexts();
    return notes.reduce((sum, note) => sum + Number.parseInt(note, 10), 0);
  };
  const map = await heirloom.get<{ clusters: { assets: number }[] }>(
    '/api/v1/map?box=-180,-90,180,90&zoom=0'
  );
  const all = map.clusters.reduce((sum, cluster) => sum + cluster.assets, 0);
  await until(async () => (await counted()) === all && (await listed()) === all);

  const before = await clusters.first().getAttribute('data-cell');
  await clusters.first().focus();
  await page.keyboard.press('Enter');
  await until(async () => (await clusters.first().getAttribute('data-cell')) !== before);
  await page.locator('ul.plain a').first().click();
  await page.getByRole('heading', { name: 'In this part of the map', level: 1 }).waitFor();
  await page.locator('.tiles a').first().waitFor();
});
