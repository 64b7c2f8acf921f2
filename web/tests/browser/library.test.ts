import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';
import { arePainted } from './painted';

const { heirloom, visit } = atHome();

test('every tile is painted, wherever one scrolls to', async () => {
  for (const [width, deviceScaleFactor] of [
    [1280, 1],
    [360, 3]
  ] as const) {
    const { page } = await visit('/', { viewport: { width, height: 640 }, deviceScaleFactor });
    await page.locator('.grid a img.here').first().waitFor();
    const height = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    // Forth and back, with leaps in between.
    for (let i = 0; i < 60; i++) {
      const at = (((i * 37) % 60) / 59) * height;
      await page.evaluate((top) => scrollTo(0, top), at);
      await until(() => arePainted(page, 0.25));
    }
    expect(await page.getByText('That is all').count()).toBe(1);
  }
});

test('what is read aloud is in the order that is seen, and no more than what is near', async () => {
  const { page } = await visit('/', { viewport: { width: 360, height: 640 } });
  await page.locator('.grid a').first().waitFor();
  for (const top of [0, 1500, 400, 99_999, 0]) {
    await page.evaluate((to) => scrollTo(0, to), top);
    await page.waitForTimeout(150);
    const places = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.sheet > *')].map((it) => {
        const box = it.getBoundingClientRect();
        return {
          top: Math.round(box.top),
          left: Math.round(box.left),
          isHeading: it.tagName === 'H2'
        };
      })
    );
    const tiles = places.filter((it) => !it.isHeading);
    for (let i = 1; i < tiles.length; i++) {
      const [a, b] = [tiles[i - 1]!, tiles[i]!];
      expect(b.top > a.top || (b.top === a.top && b.left > a.left), JSON.stringify([a, b])).toBe(
        true
      );
    }
  }
});

test('going back leads to where one was', async () => {
  const { page } = await visit('/', { viewport: { width: 360, height: 640 } });
  await page.locator('.grid a').first().waitFor();
  await until(async () => {
    await page.evaluate(() => scrollTo(0, 1600));
    return (await page.evaluate(() => scrollY)) === 1600;
  });
  await page.waitForTimeout(200);
  await page.evaluate(() => {
    const tiles = [...document.querySelectorAll<HTMLElement>('.grid a')];
    tiles.find((it) => it.getBoundingClientRect().top > 100)!.click();
  });
  await page.getByRole('heading', { name: 'What is known, and from where' }).waitFor();
  await page.goBack();
  await page.locator('.grid a').first().waitFor();
  await until(async () => Math.abs((await page.evaluate(() => scrollY)) - 1600) < 5);
});

test('the list says the same in words, and stays chosen', async () => {
  const { page } = await visit('/');
  await page.getByRole('button', { name: 'As a list' }).click();
  const entry = page.getByRole('link', { name: /Sous le consulat/ });
  await entry.waitFor();
  expect(await entry.textContent()).toContain('July 2004');
  await page.reload();
  await entry.waitFor();
});

test('what is shown can be narrowed down, and the viewer stays within that', async () => {
  const { page } = await visit('/');
  await page.getByRole('button', { name: 'Show only' }).click();
  await page.getByLabel('Recording').check();
  await page.getByLabel('Archive').selectOption('Sample library');
  // What cameras there are is offered.
  await page.getByLabel('Camera').fill('app');
  await page.locator('datalist option[value="Apple"]').waitFor({ state: 'attached' });
  await page.getByLabel('Camera').fill('');
  await page.getByRole('button', { name: 'Show these' }).click();
  await until(
    async () => new URL(page.url()).searchParams.get('q') === 'type:audio archive:"Sample library"'
  );
  const tiles = page.locator('.grid a');
  const { count } = await heirloom.get<{ count: number }>('/api/v1/timeline?q=type%3Aaudio');
  await until(async () => (await tiles.count()) === count);
  await tiles.first().click();
  let seen = 1;
  const next = page.getByRole('button', { name: 'Next', exact: true });
  for (; seen < 50; seen++) {
    await page.getByRole('heading', { name: 'What is known, and from where' }).waitFor();
    await page.locator('.when', { hasText: 'Recording' }).waitFor();
    const address = page.url();
    // Whether there is a next one is known a moment after the one that is shown.
    await page.waitForTimeout(250);
    if (await next.isDisabled()) break;
    await next.click();
    await until(async () => page.url() !== address);
  }
  expect(seen).toBe(count);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Leave out: Archive: Sample library' }).click();
  await until(async () => new URL(page.url()).searchParams.get('q') === 'type:audio');
});

test('a page that is not there leads back', async () => {
  const { page, allow } = await visit('/nothing-here');
  allow(/404 \(Not Found\)/);
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
});

test('the viewer knows what comes before and after, also when it was opened by its address', async () => {
  const list = await heirloom.get<{ items: { id: string; name: string; title?: string }[] }>(
    '/api/v1/assets?limit=10'
  );
  const [first, second, third] = list.items.map((it) => it.title ?? it.name);
  const { page } = await visit(`/assets/${list.items[1]!.id}`);
  await page.getByRole('heading', { name: second!, level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('heading', { name: third!, level: 1 }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: second!, level: 1 }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: first!, level: 1 }).waitFor();
  expect(await page.getByRole('button', { name: 'Previous' }).isDisabled()).toBe(true);
});

test('a picture can be looked at closely and moved, by buttons and by keys', async () => {
  const { page } = await visit(`/assets/${await heirloom.asset('PXL_20230506_081500123.jpg')}`);
  const picture = page.locator('.frame img').first();
  await until(async () =>
    picture.evaluate((it: HTMLImageElement) => it.complete && it.naturalWidth > 0)
  );
  const scale = () => picture.evaluate((it) => new DOMMatrix(getComputedStyle(it).transform).a);
  await page.getByRole('button', { name: 'Larger' }).click();
  expect(await scale()).toBeCloseTo(1.6);
  await page.keyboard.press('+');
  expect(await scale()).toBeCloseTo(2.56);
  const before = await picture.evaluate((it) => new DOMMatrix(getComputedStyle(it).transform).e);
  await page.keyboard.press('ArrowRight');
  expect(
    await picture.evaluate((it) => new DOMMatrix(getComputedStyle(it).transform).e)
  ).toBeLessThan(before);
  await page.keyboard.press('0');
  expect(await scale()).toBe(1);
});

test('a document is read page by page, by buttons and by keys', async () => {
  const { page } = await visit(`/assets/${await heirloom.asset('Typesetting notes.pdf')}`);
  const picture = page.locator('.frame img').first();
  const shows = async (number: number) => {
    await page.getByText(`Page ${number} of 4`, { exact: true }).waitFor();
    expect(await picture.getAttribute('src')).toContain(`page=${number}`);
    await until(() => picture.evaluate((it: HTMLImageElement) => it.naturalWidth > 0));
  };
  await shows(1);
  await page.getByRole('button', { name: 'Next page' }).click();
  await shows(2);
  await page.keyboard.press('PageDown');
  await page.keyboard.press('PageDown');
  await shows(4);
  expect(await page.getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
  await page.keyboard.press('PageUp');
  await shows(3);
});

test('films and recordings play, from any moment', async () => {
  for (const [name, element] of [
    ['Grand-père Lucien.m4a', 'audio'],
    ['IMG_5195.MOV', 'video']
  ] as const) {
    const { page } = await visit(`/assets/${await heirloom.asset(name)}`);
    const player = page.locator(element);
    await until(async () =>
      player.evaluate((it: HTMLMediaElement) => it.readyState >= 1 && it.duration > 0.5)
    );
    await player.evaluate((it: HTMLMediaElement) => {
      it.muted = true;
      it.currentTime = it.duration / 2;
      return it.play();
    });
    await until(async () =>
      player.evaluate(
        (it: HTMLMediaElement) => it.currentTime > it.duration / 2 && it.readyState >= 2
      )
    );
    if (element === 'audio')
      expect(await page.getByRole('slider', { name: 'Moment in the recording' }).count()).toBe(1);
  }
});

test('months of a few pictures are fetched together', async () => {
  const { buckets } = await heirloom.get<{ buckets: object[] }>('/api/v1/timeline?q=type:image');
  const { page } = await visit('/settings', { viewport: { width: 1280, height: 2400 } });
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/timeline\/(?!position)/.test(request.url())) asked.push(request.url());
  });
  await page.goto(`${heirloom.address}/?q=type%3Aimage`);
  await until(async () => (await page.locator('.grid a[data-id]').count()) > 20);
  await until(async () => (await page.locator('.grid a:not([data-id])').count()) === 0);
  // There are dozens of them, and more than a screen is fetched.
  expect(buckets.length).toBeGreaterThan(20);
  expect(asked.length).toBeLessThanOrEqual(3);
});
