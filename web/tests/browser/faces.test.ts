import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
const NAME = 'astronaut.jpg';
let astronaut: string;

beforeAll(async () => {
  const { page } = await visit('/add');
  const buffer = readFileSync(`../testdata/faces/${NAME}`);
  await page
    .locator('[data-testid=files]')
    .setInputFiles({ name: NAME, mimeType: 'image/jpeg', buffer });
  await page.getByText('1 of 1 file is there').waitFor();
  astronaut = await heirloom.asset(NAME);
  // What is in it is found out after it was prepared.
  await until(async () => {
    const asset = await heirloom.get<{ artifacts: { kind: string }[] }>(
      `/api/v1/assets/${astronaut}`
    );
    return asset.artifacts.some(({ kind }) => kind === 'faces');
  });
}, 90_000);

test('a face stands beside its picture and shows where it is, by keyboard too', async () => {
  const { page } = await visit(`/assets/${astronaut}`);
  const face = page.getByRole('button', { name: 'Face 1 of 1, from the left' });
  await face.waitFor();
  await page.getByRole('checkbox', { name: 'Show where they are' }).focus();
  await page.keyboard.press('Space');
  const outline = page.locator('.over .outline');
  await outline.waitFor();
  const [box, picture] = [
    await outline.boundingBox(),
    await page.locator('.frame img').first().boundingBox()
  ];
  const share = (box!.x - picture!.x) / picture!.width;
  expect(share).toBeGreaterThan(0.3);
  expect(share).toBeLessThan(0.4);
  await page.keyboard.press('Tab');
  await page.locator('.over span:not(.outline)').waitFor();
  // What is cut out is the face, and painted.
  const crop = face.locator('img');
  await until(() => crop.evaluate((it: HTMLImageElement) => it.style.opacity === '1'));
  expect(await violations(page)).toEqual([]);
  await page.getByRole('checkbox', { name: 'Show where they are' }).uncheck();
  await until(async () => (await outline.count()) === 0);
});

test('on a small phone, in German and in the dark, faces are seen as well', async () => {
  const { page } = await visit(`/assets/${astronaut}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page.getByRole('button', { name: 'Gesicht 1 von 1, von links' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
