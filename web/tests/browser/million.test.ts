import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';
import { arePainted } from './painted';

const { heirloom, visit } = atHome({ seeded: 1_000_000 });
const COVERED = 0.6;

const scrollHeight = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
const countAll = async () => (await heirloom.get<{ count: number }>('/api/v1/timeline')).count;

/** The first tile that is wholly to be seen: which, and where it stands in the window. */
function firstSeen(page: Page): Promise<{ at: number; id: string | undefined; top: number }> {
  return page.evaluate(() => {
    for (const tile of document.querySelectorAll<HTMLElement>('.grid a')) {
      const { top } = tile.getBoundingClientRect();
      if (top >= 0) return { at: Number(tile.dataset.at), id: tile.dataset.id, top };
    }
    throw new Error('there is no tile to be seen');
  });
}

test('with a million every tile is painted wherever one leaps to, on screens of all kinds', async () => {
  for (const [width, deviceScaleFactor, places] of [
    [1280, 1, 60],
    [1000, 2, 10],
    [360, 3, 10]
  ] as const) {
    const { page } = await visit('/', { viewport: { width, height: 640 }, deviceScaleFactor });
    await until(() => arePainted(page, COVERED / 2));
    const height = await scrollHeight(page);
    expect(height * deviceScaleFactor).toBeLessThan(2 ** 24);
    const leap = places === 60 ? 37 : 3;
    const seen = new Map<number, number>();
    for (let i = 0; i < places; i++) {
      const part = ((i * leap) % places) / (places - 1);
      await page.evaluate((top) => scrollTo(0, top), part * height);
      await until(() => arePainted(page, part === 0 || part === 1 ? COVERED / 2 : COVERED));
      seen.set(part, (await firstSeen(page)).at);
    }
    // All of it is within reach, in its order, from the first to the last.
    const inOrder = [...seen].sort(([a], [b]) => a - b).map(([, at]) => at);
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    expect(inOrder[0]).toBe(0);
    expect(inOrder.at(-1)).toBeGreaterThan((await countAll()) - 100);
    await page.getByText('That is all').waitFor();
  }
}, 180_000);

test('small steps go one to one, and what is seen stays where it is when scrolling rests', async () => {
  const { page } = await visit('/', { viewport: { width: 1000, height: 640 } });
  await until(() => arePainted(page, COVERED / 2));
  await page.evaluate(() => scrollTo(0, 3_000_000));
  await until(() => arePainted(page, COVERED));
  const start = await firstSeen(page);
  const [perRow, pitch] = await page.evaluate(() => {
    const tops = [...document.querySelectorAll('.grid a')].map((tile) =>
      Math.round(tile.getBoundingClientRect().top)
    );
    const rows = [...new Set(tops)].sort((a, b) => a - b);
    const row = tops.filter((top) => top === rows[1]).length;
    return [row, Math.min(...rows.slice(1).map((top, i) => top - rows[i]!))];
  });
  const before = await page.evaluate(() => scrollY);
  await page.mouse.move(400, 300);
  for (let i = 0; i < 12; i++) {
    await page.mouse.wheel(0, 250);
    await page.waitForTimeout(20);
  }
  await until(async () => (await page.evaluate(() => scrollY)) !== before);
  // At rest the page goes back to where it belongs, and nobody sees it: 3,000 pixels were gone.
  let last = NaN;
  await until(async () => {
    const now = await page.evaluate(() => scrollY);
    const isCalm = now === last;
    last = now;
    await page.waitForTimeout(400);
    return isCalm;
  });
  expect(last).toBeLessThan(before + 2000);
  const end = await firstSeen(page);
  const went = ((end.at - start.at) / perRow!) * pitch! - (end.top - start.top);
  // A heading that came by takes a little of it, and so does a last row that is not full.
  expect(went).toBeGreaterThan(2700);
  expect(went).toBeLessThan(3100);
  await until(() => arePainted(page, COVERED));
  const seen = await firstSeen(page);
  await page.waitForTimeout(500);
  expect(await firstSeen(page)).toEqual(seen);
}, 60_000);

test('after a reload of the viewer the neighbours are known, and back leads to what was seen', async () => {
  const { page } = await visit('/', { viewport: { width: 1000, height: 640 } });
  await until(() => arePainted(page, COVERED / 2));
  await page.evaluate(() => scrollTo(0, 2_222_222));
  await until(() => arePainted(page, COVERED));
  const { at } = await firstSeen(page);
  const name = (place: number) =>
    page.locator(`.grid a[data-at="${place}"]`).getAttribute('data-id');
  const [, next, third] = [await name(at), await name(at + 1), await name(at + 2)];
  await page.locator(`.grid a[data-at="${at}"]`).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await until(async () => page.url().endsWith(next!));
  await page.reload();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await until(async () => page.url().endsWith(third!));
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await until(() => arePainted(page, COVERED));
  await until(async () => {
    const box = await page.locator(`.grid a[data-id="${third}"]`).boundingBox();
    return box !== null && box.y > 0 && box.y < 640;
  });

  // The page itself comes back where it was, too.
  const seen = await firstSeen(page);
  await page.reload();
  await until(() => arePainted(page, COVERED));
  await until(async () => Math.abs((await firstSeen(page)).at - seen.at) <= 4);
}, 60_000);

test('what was opened by its address leads back to where it stands', async () => {
  const items = await heirloom.get<{ items: { id: string }[] }>(
    '/api/v1/timeline/undated?offset=150000&limit=1'
  );
  const { id } = items.items[0]!;
  const { page } = await visit(`/assets/${id}`);
  await page.keyboard.press('Escape');
  await until(async () => {
    const box = await page.locator(`.grid a[data-id="${id}"]`).boundingBox();
    return box !== null && box.y > 0 && box.y < 800;
  });
  await until(() => arePainted(page, COVERED));
}, 60_000);
