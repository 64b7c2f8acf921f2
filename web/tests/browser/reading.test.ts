import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
const LETTER = '1944-05-30 Karl to Anna, page 1.jpg';
const PAGES = '1944-03-12 Anna to Karl.tif';
let letter: string;

beforeAll(async () => {
  letter = await heirloom.asset(LETTER);
  const begun = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'understand',
    asset_ids: [letter, await heirloom.asset(PAGES)]
  });
  await until(async () => {
    const run = await heirloom.get<{ state: string }>(`/api/v1/runs/${begun.id}`);
    return run.state === 'done';
  });
}, 60_000);

test('what stands in a letter is found, and opens where it stands', async () => {
  const { page } = await visit('/search?q=harbour');
  await page.getByText('In it:').waitFor();
  await page.locator('.assets a').first().click();
  const panel = page.getByRole('group', { name: 'What stands in it' });
  await panel.getByText('I walked down to the harbour to see it').waitFor();
  const mark = page.locator('.over span');
  await mark.waitFor();
  const [box, picture] = [await mark.boundingBox(), await page.locator('.frame img').boundingBox()];
  const share = ((box?.y ?? 0) - (picture?.y ?? 0)) / (picture?.height ?? 1);
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(1);
  expect(box!.width).toBeGreaterThan(box!.height * 3);
  // Whoever points at another line sees where that one is.
  await panel.getByText('Stade, 30 May 1944').hover();
  await until(async () => ((await mark.boundingBox())?.y ?? 0) < box!.y);
  expect(await violations(page)).toEqual([]);
});

test('it is saved as a document that can be searched', async () => {
  const { page } = await visit(`/assets/${letter}`);
  const link = page.getByRole('link', { name: 'Save it as a PDF that can be searched' });
  const answer = await fetch(heirloom.address + (await link.getAttribute('href')));
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(bytes.subarray(0, 8).toString()).toBe('%PDF-1.7');
  expect(bytes.subarray(-6).toString()).toBe('%%EOF\n');
});

test('a find on the third page opens that page', async () => {
  const { page } = await visit('/search?q=%22books%20in%20the%20big%20chest%22');
  await page.locator('.assets a').first().click();
  await page.getByText('Page 3 of 3').waitFor();
  await page.locator('.over span').waitFor();
  // What is not sure is marked.
  const panel = page.getByRole('group', { name: 'What stands in it' });
  expect(await panel.locator('mark').count()).toBeGreaterThan(0);
});

test('on a small phone, in German and in the dark, it is read as well', async () => {
  const { page } = await visit(`/assets/${letter}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page.getByRole('group', { name: 'Was darin steht' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
