import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';
import { arePainted } from './painted';

const { heirloom, visit } = atHome({ seeded: 120_000 });
const COVERED = 0.6;

interface Item {
  id: string;
  name: string;
}
const firstOf = async (limit: number, offset = 0): Promise<Item[]> =>
  (
    await heirloom.get<{ items: Item[] }>(
      `/api/v1/timeline/2024-12?limit=${limit}&offset=${offset}`
    )
  ).items;
const countAll = async () => (await heirloom.get<{ count: number }>('/api/v1/timeline')).count;

function tile(page: Page, at: number) {
  return page.locator(`.grid a[data-at="${at}"]`);
}
async function isFocused(page: Page, at: number): Promise<boolean> {
  return page.evaluate(
    (wanted) => document.activeElement?.getAttribute('data-at') === String(wanted),
    at
  );
}

test('with 120,000 every tile is painted wherever one leaps to, on screens of all kinds', async () => {
  for (const [width, deviceScaleFactor, places] of [
    [1280, 1, 60],
    [1000, 2, 12],
    [360, 3, 12]
  ] as const) {
    const { page } = await visit('/', { viewport: { width, height: 640 }, deviceScaleFactor });
    await until(() => arePainted(page, COVERED / 2));
    const height = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    const leap = places === 60 ? 37 : 5;
    for (let i = 0; i < places; i++) {
      const at = (((i * leap) % places) / (places - 1)) * height;
      await page.evaluate((top) => scrollTo(0, top), at);
      await until(() => arePainted(page, at === 0 || at === height ? COVERED / 2 : COVERED));
    }
  }
}, 180_000);

test('nothing lies over what is above the timeline', async () => {
  for (const width of [320, 1024, 1600]) {
    const { page } = await visit('/', { viewport: { width, height: 700 } });
    await until(() => arePainted(page, COVERED / 2));
    await page.getByRole('button', { name: 'As a list' }).click();
    const isPressed = page.getByRole('button', { name: 'As a list', pressed: true });
    await isPressed.waitFor();
  }
});

test('a range reaches across what was never loaded; it is deleted and brought back', async () => {
  const before = await countAll();
  const first = await firstOf(70);
  const { page } = await visit('/');
  await page.getByRole('button', { name: 'Choose several' }).click();
  await tile(page, 0).click();
  await page.getByText('1 chosen').waitFor();
  // Far away in one leap: nothing of what is between was ever asked for.
  const parts: string[] = [];
  page.on('request', (request) => parts.push(new URL(request.url()).pathname));
  await page.evaluate(() => scrollTo(0, 16_000));
  await until(() => arePainted(page, COVERED));
  expect(parts).not.toContain('/api/v1/timeline/2024-11');
  const last = Number(
    await page.evaluate(() => {
      const tiles = [...document.querySelectorAll<HTMLElement>('.grid a')];
      return tiles.find((it) => it.getBoundingClientRect().top > 200)!.dataset.at;
    })
  );
  expect(last).toBeGreaterThan(250);
  await tile(page, last).click({ modifiers: ['Shift'] });
  await page.getByText(`${last + 1} chosen`).waitFor();
  // The months of the sample's own are older: all of these are of the last two seeded months.
  const months = await heirloom.get<{ buckets: { bucket: string; count: number }[] }>(
    '/api/v1/timeline'
  );
  const kept = [];
  let left = last + 1;
  for (const { bucket, count } of months.buckets) {
    if (left < count) {
      const path = `/api/v1/timeline/${bucket}?limit=1&offset=${left}`;
      kept.push((await heirloom.get<{ items: Item[] }>(path)).items[0]!);
      break;
    }
    left -= count;
  }
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`${last + 1} deleted.`).waitFor();
  expect(await countAll()).toBe(before - last - 1);
  expect((await heirloom.get<{ items: Item[] }>('/api/v1/assets?limit=1')).items[0]!.id).toBe(
    kept[0]!.id
  );
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByText('Taken back.').waitFor();
  expect(await countAll()).toBe(before);
  expect((await firstOf(70)).map((item) => item.id)).toEqual(first.map((item) => item.id));
  await until(() => arePainted(page, COVERED));
}, 120_000);

test('by keys alone: anywhere in time, a range, and nothing of it again', async () => {
  const { page } = await visit('/');
  await until(() => arePainted(page, COVERED / 2));
  await tile(page, 0).focus();
  await page.keyboard.press('End');
  const last = (await countAll()) - 1;
  await until(() => isFocused(page, last));
  await until(() => arePainted(page, COVERED / 2));
  await page.keyboard.press('ArrowUp');
  await until(async () => !(await isFocused(page, last)));
  await page.keyboard.press('Home');
  await until(() => isFocused(page, 0));

  // Shift and arrows choose from where one is, and leave again what is passed backwards.
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.getByText('3 chosen').waitFor();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.getByText('2 chosen').waitFor();
  await page.keyboard.press('ArrowRight');
  await until(() => isFocused(page, 2));
  await page.keyboard.press('Space');
  await page.getByText('3 chosen').waitFor();
  expect(await tile(page, 2).getAttribute('aria-checked')).toBe('true');
  await page.keyboard.press('Escape');
  await until(async () => (await page.locator('.selection').count()) === 0);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: (await firstOf(3))[2]!.name, level: 1 }).waitFor();
  await page.keyboard.press('Escape');
  await until(() => arePainted(page, COVERED / 2));

  const slider = page.getByRole('slider', { name: 'Moment in the timeline' });
  await slider.focus();
  expect(await slider.getAttribute('aria-valuetext')).toBe('December 2024');
  await page.keyboard.press('ArrowDown');
  await until(async () => (await slider.getAttribute('aria-valuetext')) === 'November 2024');
  await page.keyboard.press('PageDown');
  await until(async () => (await slider.getAttribute('aria-valuetext')) === 'December 2023');
  await page.keyboard.press('End');
  await until(async () => (await slider.getAttribute('aria-valuetext')) === 'Without a date');
  await until(() => arePainted(page, COVERED / 2));
}, 90_000);

test('a date leads there, and what is only known by decade has its own heading', async () => {
  const { page } = await visit('/');
  for (const [year, month, heading] of [
    ['1999', 'March', 'March 1999'],
    ['1974', '', 'Some time in 1974'],
    ['1950', '', 'Some time in the 1950s']
  ] as const) {
    await page.getByRole('button', { name: 'Go to a date' }).click();
    await page.getByLabel('Year').fill(year);
    if (month) await page.getByLabel('Month').selectOption(month);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await until(async () => {
      const box = await page.getByRole('heading', { name: heading, exact: true }).boundingBox();
      return box !== null && box.y >= 0 && box.y < 200;
    });
    await until(() => arePainted(page, COVERED));
  }
});

test('the scrubber can be pulled, and says where one is', async () => {
  const { page } = await visit('/');
  await until(() => arePainted(page, COVERED / 2));
  const handle = (await page.locator('.handle').boundingBox())!;
  const track = (await page.locator('.track').boundingBox())!;
  await page.mouse.move(handle.x + 20, handle.y + 24);
  await page.mouse.down();
  for (let i = 1; i <= 10; i++)
    await page.mouse.move(handle.x + 20, track.y + (track.height * i) / 20);
  await page.locator('.bubble').waitFor();
  const words = await page.locator('.bubble').innerText();
  await page.mouse.up();
  expect(words).toMatch(/^\w+ (?:19|20)\d\d$/);
  await until(() => arePainted(page, COVERED));
  expect(await page.locator('.handle').getAttribute('aria-valuetext')).toBe(words);
});

test('the same as a list: by month, from any date on', async () => {
  const { page } = await visit('/', { settings: { libraryView: 'list' } });
  await page.getByRole('heading', { name: 'December 2024', level: 2 }).waitFor();
  const entries = page.locator('.assets li');
  await until(async () => (await entries.count()) === 60);
  await page.getByRole('button', { name: 'Show more' }).click();
  await until(async () => (await entries.count()) === 120);
  await page.getByRole('button', { name: 'Go to a date' }).click();
  await page.getByLabel('Year').fill('1999');
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'December 1999', level: 2 });
  await heading.waitFor();
  await until(() => heading.evaluate((it) => it === document.activeElement));
  await page.getByRole('button', { name: 'Show newer ones' }).click();
  await page.getByRole('heading', { name: 'January 2000', level: 2 }).waitFor();
});

test('what is dragged carries its id, and all that was chosen if it is among them', async () => {
  const { page } = await visit('/');
  await until(() => arePainted(page, COVERED / 2));
  const drag = (at: number) =>
    page.evaluate((wanted) => {
      const dataTransfer = new DataTransfer();
      const event = new DragEvent('dragstart', { bubbles: true, dataTransfer });
      document.querySelector(`.grid a[data-at="${wanted}"]`)!.dispatchEvent(event);
      return JSON.parse(dataTransfer.getData('application/x-heirloom-assets')) as string[];
    }, at);
  const ids = (await firstOf(6)).map((item) => item.id);
  expect(await drag(5)).toEqual([ids[5]]);
  expect(await tile(page, 5).getAttribute('draggable')).toBe('true');
  await page.getByRole('button', { name: 'Choose several' }).click();
  await tile(page, 1).click();
  await tile(page, 3).click({ modifiers: ['Shift'] });
  await page.getByText('3 chosen').waitFor();
  expect(await drag(2)).toEqual(ids.slice(1, 4));
  expect(await drag(5)).toEqual([ids[5]]);
});

test('a finger that stays chooses, and a tap then chooses more', async () => {
  const { page } = await visit('/', {
    viewport: { width: 360, height: 640 },
    hasTouch: true,
    isMobile: true
  });
  await until(() => arePainted(page, COVERED / 2));
  const line = await page.context().newCDPSession(page);
  const box = (await tile(page, 2).boundingBox())!;
  const touchPoints = [{ x: box.x + 30, y: box.y + 30 }];
  await line.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  await page.getByText('1 chosen').waitFor();
  await line.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  expect(new URL(page.url()).pathname).toBe('/');
  await tile(page, 3).tap();
  await page.getByText('2 chosen').waitFor();
});
