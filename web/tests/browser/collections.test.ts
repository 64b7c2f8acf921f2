import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome();

interface Item {
  id: string;
  name: string;
  title?: string | null;
  date?: string | null;
}
interface Album extends Item {
  count: number;
  frozen_at_ms: number | null;
}

/** Some pictures, the newest first. */
async function pictures(count: number): Promise<Item[]> {
  const list = await heirloom.get<{ items: Item[] }>('/api/v1/search?q=type:image&limit=' + count);
  return list.items;
}

/** Makes a collection past the pages. */
function make(name: string, body: object): Promise<Album> {
  return heirloom.post<Album>('/api/v1/collections', { name, ...body });
}

const titles = (page: Page) => page.locator('.tiles .title').allInnerTexts();
const titleOf = (item: Item) => item.title ?? item.name;
const isFocused = (page: Page, name: string) =>
  page
    .getByRole('button', { name })
    .evaluate((it) => it === document.activeElement)
    .catch(() => false);

test('an album is made, filled from the viewer, put in order by keys, and frozen', async () => {
  const [first, second, third] = await pictures(3);
  const { page, allow } = await visit('/collections');
  await page.getByText('There is no collection yet.').waitFor();
  await page.getByRole('button', { name: 'New album' }).click();
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('Write something first.').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Für Oma');
  await page.getByLabel(/What it is about/).fill('Summers');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Für Oma', level: 1 }).waitFor();
  await page.getByText('Nothing is in it.').waitFor();
  const id = new URL(page.url()).pathname.split('/').pop()!;

  for (const item of [first!, second!, third!]) {
    await page.goto(`${heirloom.address}/assets/${item.id}`);
    await page.getByRole('button', { name: 'Add to a collection' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Für Oma/ })
      .click();
    await page.getByText('1 added to Für Oma.').waitFor();
    // It says at once where it is now.
    await page.locator('.panel').getByRole('link', { name: 'Für Oma' }).waitFor();
  }
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Für Oma', level: 1 }).waitFor();
  const [a, b, c] = [first!, second!, third!].map(titleOf) as [string, string, string];
  await until(async () => (await titles(page)).join() === [a, b, c].join());

  await page.getByRole('button', { name: 'Put in order' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Move ${c} forward` }).focus();
  await page.keyboard.press('Enter');
  await until(async () => (await titles(page)).join() === [a, c, b].join());
  await page.getByText(`${c} is now at place 2.`).waitFor({ state: 'attached' });
  // The focus goes with it, and where the button has nothing more to do to the one beside it.
  await until(() => isFocused(page, `Move ${c} forward`));
  await page.keyboard.press('Enter');
  await until(async () => (await titles(page)).join() === [c, a, b].join());
  await until(() => isFocused(page, `Move ${c} back`));
  await page.reload();
  await until(async () => (await titles(page)).join() === [c, a, b].join());

  await page.getByRole('button', { name: 'Put in order' }).click();
  await page.getByRole('button', { name: `Take ${a} out of the collection` }).click();
  await until(async () => (await titles(page)).join() === [c, b].join());
  await page.getByRole('button', { name: 'Take back' }).click();
  await until(async () => (await titles(page)).join() === [c, a, b].join());

  await page.getByRole('button', { name: 'Freeze' }).click();
  await page.getByText('nothing can be added, taken out or moved').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click();
  await page.getByText(/3 items · frozen/).waitFor();
  expect(await page.getByRole('button', { name: 'Put in order' }).count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Freeze' }).count()).toBe(0);
  const frozen = await heirloom.get<Album>(`/api/v1/collections/${id}`);
  expect(frozen.frozen_at_ms).toBeGreaterThan(0);

  // From a picture back to the album, and on to the next in its order.
  await page.locator('.tiles a').nth(1).click();
  await page.getByRole('heading', { name: a, level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('heading', { name: b, level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await page.getByRole('heading', { name: 'Für Oma', level: 1 }).waitFor();

  // Its name can still be another, unless somebody was quicker.
  await page.getByRole('button', { name: 'Change the name' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Für Opa');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('heading', { name: 'Für Opa', level: 1 }).waitFor();
  allow(/412|409/);
  await make('Taken', {});
  await page.getByRole('button', { name: 'Change the name' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Taken');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('dialog').getByText('This cannot be done now.').waitFor();
});

test('what is dragged is moved, and what is dropped is added', async () => {
  const items = await pictures(5);
  const ids = items.map((item) => item.id);
  const album = await make('By hand', { assets: ids.slice(0, 3) });
  const other = await make('Dropped', {});
  const [a, b, c] = items.map(titleOf) as [string, string, string];
  const { page } = await visit(`/collections/${album.id}`);
  await until(async () => (await titles(page)).join() === [a, b, c].join());
  await page.getByRole('button', { name: 'Put in order' }).click();
  // As a hand does, not in one leap.
  await page.locator('.tiles li').nth(2).dragTo(page.locator('.tiles li').nth(0), { steps: 8 });
  await until(async () => (await titles(page)).join() === [c, a, b].join());
  await page.reload();
  await until(async () => (await titles(page)).join() === [c, a, b].join());

  // Tiles of the library come with this type, whatever page they are dragged from.
  const drop = (selector: string, assets: string[]) =>
    page.evaluate(
      ([selector, text]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.setData('application/x-heirloom-assets', text!);
        const target = document.querySelector(selector!)!;
        for (const type of ['dragover', 'drop']) {
          target.dispatchEvent(
            new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })
          );
        }
      },
      [selector, JSON.stringify(assets)]
    );
  await drop('.page', ids);
  await page.getByText('2 added to By hand.').waitFor();
  await until(async () => (await titles(page)).length === 5);
  await page.goto(`${heirloom.address}/collections`);
  await page.getByRole('link', { name: /Dropped/ }).waitFor();
  await drop(`a[href="/collections/${other.id}"]`, ids.slice(0, 2));
  await page.getByText('2 added to Dropped.').waitFor();
  await until(async () =>
    (await page.getByRole('link', { name: /Dropped/ }).innerText()).includes('2 items')
  );
});

test('a search is saved, asked anew, and frozen with what it finds', async () => {
  const { page } = await visit('/search?q=grandmother%20type%3Aaudio');
  await page.locator('.assets li').first().waitFor();
  const found = await page.locator('.assets li').count();
  await page.getByRole('button', { name: 'Save this search' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Grandmother speaks');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('Saved as Grandmother speaks.').waitFor();
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Grandmother speaks', level: 1 }).waitFor();
  await page.getByText('Looks for: grandmother type:audio').waitFor();
  await until(async () => (await titles(page)).length === found);
  expect(await page.getByRole('button', { name: 'Put in order' }).count()).toBe(0);

  await page.getByRole('button', { name: 'Change the name' }).click();
  await page.getByLabel('What it looks for').fill('type:audio');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('Looks for: type:audio').waitFor();
  await until(async () => (await titles(page)).length > found);
  await page.getByRole('button', { name: 'Freeze' }).click();
  await page.getByText('It keeps what the search finds now.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click();
  await page.getByText('It was a search for: type:audio').waitFor();
  await page.getByRole('link', { name: 'Search in it' }).click();
  await page.getByRole('button', { name: /Leave out: Collection: Grandmother speaks/ }).waitFor();
  await page.locator('.assets li').first().waitFor();
});

test('a collection that is deleted can be brought back', async () => {
  await make('Short-lived', {});
  const { page } = await visit('/collections');
  await page.getByRole('link', { name: /Short-lived/ }).click();
  await page.getByRole('button', { name: 'Delete the collection' }).click();
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('heading', { name: 'Short-lived', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Delete the collection' }).click();
  await page.getByText('Deleted collections').click();
  await page.getByRole('button', { name: 'Bring back: Short-lived' }).click();
  await page.getByRole('link', { name: /Short-lived/ }).waitFor();
});

test('a box of scans is dated at once, in plain words, and taken back at once', async () => {
  const items = await pictures(4);
  const before = items.map((item) => item.date ?? null);
  const box = await make('Box of scans', { assets: items.map((item) => item.id) });
  const dates = async () => {
    const { items } = await heirloom.get<{ items: Item[] }>(`/api/v1/collections/${box.id}/assets`);
    return items.map((item) => item.date ?? null);
  };
  const { page } = await visit(`/collections/${box.id}`);
  await page.getByRole('button', { name: 'Date or place for all' }).click();
  await page.getByRole('heading', { name: 'Say something about 4 items' }).waitFor();
  await page.getByLabel('When was it?').fill('about 1953');
  await page.getByText('Understood: about 1953').waitFor();
  await page.getByLabel(/How do you know/).fill('written on the box');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('Said about 4 items.').waitFor();
  expect(await dates()).toEqual(['1953~', '1953~', '1953~', '1953~']);
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByText('Taken back for 4 items.').waitFor();
  expect(await dates()).toEqual(before);
  await page.getByRole('button', { name: 'Hold to it again' }).click();
  await page.getByText('Said about 4 items.').waitFor();
  expect(await dates()).toEqual(['1953~', '1953~', '1953~', '1953~']);

  await page.getByRole('button', { name: 'Date or place for all' }).click();
  await page.getByLabel('About', { exact: true }).selectOption('place');
  await page.getByLabel('Where was it?').fill('Sylt');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await until(async () => {
    const found = await heirloom.get<{ items: Item[] }>('/api/v1/search?q=place:sylt');
    return found.items.length === 4;
  });
});

test('how something came about is a graph and the same in words, also by keys and on a phone', async () => {
  const id = await heirloom.asset('PXL_20230506_081500123.jpg');
  const detail = await heirloom.get<{ artifacts: { id: string; kind: string; part: string }[] }>(
    `/api/v1/assets/${id}`
  );
  const grid = detail.artifacts.find((it) => it.kind === 'grid')!;
  const { page } = await visit(`/assets/${id}`);
  await page.locator('summary', { hasText: 'Small picture' }).click();
  await page.getByRole('link', { name: 'As a graph' }).click();
  await page.getByRole('heading', { name: 'How it came about', level: 1 }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/lineage/${grid.id}`);
  const own = page.locator('.node[aria-current]');
  expect(await own.innerText()).toContain('Small picture');
  await page.getByRole('heading', { name: 'The same in words' }).waitFor();
  await page.getByText('Made from').waitFor();
  // A line leads from what is above to what is below it.
  const lines = await page.locator('.graph path').count();
  expect(lines).toBeGreaterThan(0);
  await own.focus();
  await page.keyboard.press('ArrowUp');
  await until(async () =>
    page.evaluate(() => document.activeElement?.textContent?.includes('Original') ?? false)
  );
  await page.keyboard.press('ArrowDown');
  await until(async () => own.evaluate((it) => it === document.activeElement));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'PXL_20230506_081500123.jpg', level: 1 }).waitFor();

  const phone = await visit(`/lineage/${grid.id}`, { viewport: { width: 320, height: 640 } });
  await phone.page.locator('.node[aria-current]').waitFor();
  expect(await overflowOf(phone.page)).toBeLessThanOrEqual(0);
});

test('the ends of an album are one key or one button away', async () => {
  const items = await pictures(40);
  const { id } = await make('Long', { assets: items.map((item) => item.id) });
  const { page } = await visit(`/collections/${id}`);
  await page.locator('.tiles a').first().waitFor();
  const isAt = (place: number) =>
    page
      .locator(`.tiles li[aria-posinset="${place}"] a`)
      .evaluate((it) => it === document.activeElement);
  await page.keyboard.press('End');
  await until(() => isAt(items.length));
  await page.keyboard.press('Home');
  await until(() => isAt(1));
  await page.getByRole('button', { name: 'To the end' }).click();
  await until(() => isAt(items.length));
  await page.getByRole('button', { name: 'To the beginning' }).click();
  await until(() => isAt(1));
});
