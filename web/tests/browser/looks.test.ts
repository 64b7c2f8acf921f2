import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome();

/** An album, a saved search, and where a rendition came from. */
async function collectionAddresses(): Promise<string[]> {
  const asset = await heirloom.asset('PXL_20230506_081500123.jpg');
  const { items } = await heirloom.get<{ items: { id: string }[] }>('/api/v1/collections');
  if (items.length === 0) {
    const about = { description: 'Donaudampfschifffahrtsgesellschaftskapitän' };
    const album = { name: 'Sommer in Europa', assets: [asset], ...about };
    items.push(await heirloom.post('/api/v1/collections', album));
    const saved = { name: 'Voices', query: 'type:audio' };
    items.push(await heirloom.post('/api/v1/collections', saved));
  }
  const detail = await heirloom.get<{ artifacts: { id: string; kind: string }[] }>(
    `/api/v1/assets/${asset}`
  );
  const grid = detail.artifacts.find((it) => it.kind === 'grid')!.id;
  return ['/collections', ...items.map(({ id }) => `/collections/${id}`), `/lineage/${grid}`];
}

async function addresses(): Promise<string[]> {
  const runs = await heirloom.get<{ items: { id: string }[] }>('/api/v1/runs');
  return [
    '/',
    `/assets/${await heirloom.asset('PXL_20230506_081500123.jpg')}`,
    `/assets/${await heirloom.asset('IMG_5195.MOV')}`,
    `/assets/${await heirloom.asset('Grand-père Lucien.m4a')}`,
    `/assets/${await heirloom.asset('Typesetting notes.pdf')}`,
    `/assets/${await heirloom.asset('1944-03-12 Anna to Karl.tif')}/reading?page=2`,
    '/?q=type%3Aimage%20camera%3Agibtesnicht',
    '/?q=type%3Aimage',
    '/search',
    '/search?q=grandmother%20-type%3Aimage',
    '/search?q=kammera%3Aleica',
    '/runs',
    ...runs.items.map((run) => `/runs/${run.id}`),
    ...(await collectionAddresses()),
    '/places',
    '/places?country=DE',
    '/places?country=DE&region=Bremen&name=Bremen',
    '/places?view=map',
    '/people',
    '/people?aside',
    '/duplicates',
    '/duplicates?decided',
    '/archives',
    '/backups',
    '/models',
    '/transfers',
    '/add',
    '/settings',
    '/help',
    '/offline'
  ];
}

async function settle(page: Page): Promise<void> {
  await until(async () => (await page.locator('.loading').count()) === 0);
  await page.evaluate(() => document.fonts.ready);
}

async function everywhere(
  options: Parameters<typeof visit>[1],
  look: (page: Page, path: string) => Promise<void>
): Promise<void> {
  const { page, allow } = await visit('/', options);
  // A query that cannot be read is refused.
  allow(/400 \(Bad Request\).*\/search/);
  for (const path of await addresses()) {
    await page.goto(heirloom.address + path);
    await page.locator('h1').first().waitFor();
    await settle(page);
    await look(page, path);
  }
}

const SCHEMES = ['light', 'dark'] as const;

test('every page is accessible, light and dark', async () => {
  await everywhere({}, async (page, path) => {
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), `${path} ${colorScheme}`).toEqual([]);
    }
  });
}, 120_000);

test('an open dialog and an open form are accessible, in both themes', async () => {
  for (const colorScheme of SCHEMES) {
    const { page } = await visit(`/assets/${await heirloom.asset('PXL_20230506_081500123.jpg')}`, {
      colorScheme
    });
    await page.getByRole('button', { name: 'Say something about it' }).click();
    await page.locator('summary', { hasText: 'Small picture' }).click();
    await page.getByText('Made from').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('About', { exact: true }).selectOption('place');
    await page.getByRole('combobox', { name: 'Where was it?' }).fill('Breme');
    await page.getByRole('listbox').getByRole('option').first().waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await violations(page), 'places are offered').toEqual([]);
    await page.locator('h1').click();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
  }
});

test('the choice of a folder is accessible, in both themes', async () => {
  for (const colorScheme of SCHEMES) {
    const { page } = await visit('/transfers', { colorScheme });
    await page.getByRole('button', { name: 'Choose a folder' }).last().click();
    await page.getByRole('list', { name: 'Folders in it' }).waitFor();
    expect(await violations(page)).toEqual([]);
  }
});

test('open suggestions are accessible and large enough to hit, in both themes and on the smallest phone', async () => {
  for (const colorScheme of SCHEMES) {
    for (const textSize of [100, 200]) {
      const { page } = await visit('/search', {
        colorScheme,
        locale: 'de-DE',
        viewport: { width: 320, height: 640 },
        settings: { textSize }
      });
      await page.getByRole('combobox').first().pressSequentially('ort:b');
      const options = page.locator('[role="listbox"]').getByRole('option');
      await options.first().waitFor();
      await page.keyboard.press('ArrowDown');
      expect(await violations(page)).toEqual([]);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      for (const option of await options.all()) {
        const box = (await option.boundingBox())!;
        expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
      }
    }
  }
});

test('the dialogs of collections are accessible, in both themes', async () => {
  await collectionAddresses();
  for (const colorScheme of SCHEMES) {
    const { page } = await visit('/collections', { colorScheme });
    await page.getByRole('button', { name: 'New album' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
    const collections = await heirloom.get<{ items: { id: string; is_dynamic: boolean }[] }>(
      '/api/v1/collections'
    );
    const { id } = collections.items.find((it) => !it.is_dynamic)!;
    await page.goto(`${heirloom.address}/collections/${id}`);
    for (const name of ['Change the name', 'Date or place for all', 'Freeze']) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog').waitFor();
      expect(await violations(page), name).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'Put in order' }).click();
    expect(await violations(page), 'in order').toEqual([]);
    await page.goto(
      `${heirloom.address}/assets/${await heirloom.asset('PXL_20230506_081500123.jpg')}`
    );
    await page.getByRole('button', { name: 'Add to a collection' }).click();
    await page.getByRole('dialog').getByText('Sommer in Europa').waitFor();
    expect(await violations(page)).toEqual([]);
  }
}, 90_000);

test('the timeline is accessible as a list, while choosing and with its dialogs open', async () => {
  for (const colorScheme of SCHEMES) {
    const { page } = await visit('/', { colorScheme });
    await page.locator('.grid img.here').first().waitFor();
    await page.getByRole('button', { name: 'Choose several' }).click();
    await page.locator('.grid a').nth(1).click();
    await page.getByText('1 chosen').waitFor();
    expect(await violations(page)).toEqual([]);
    for (const name of ['Go to a date', 'Show only']) {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog', { name }).waitFor();
      expect(await violations(page), name).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name }).waitFor({ state: 'hidden' });
    }
    await page.getByRole('button', { name: 'As a list' }).click();
    await page.locator('.assets li').first().waitFor();
    await settle(page);
    expect(await violations(page)).toEqual([]);
  }
}, 90_000);

test('choosing and its dialogs fit on the smallest phone, with text twice as large', async () => {
  const { page } = await visit('/', {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    settings: { textSize: 200 }
  });
  await page.locator('.grid a').first().waitFor();
  await page.getByRole('button', { name: 'Mehrere auswählen' }).click();
  await page.locator('.grid a').first().click();
  await page.getByText('1 ausgewählt').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  for (const name of ['Zu einem Datum gehen', 'Nur zeigen']) {
    // With text so large it may lie below the bar until one scrolls; keys reach it all the same.
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name });
    await dialog.waitFor();
    const tooWide = await dialog.evaluate((it) => it.scrollWidth - it.clientWidth);
    expect(tooWide, name).toBeLessThanOrEqual(0);
    await page.keyboard.press('Escape');
    // Only then has it given the focus back.
    await dialog.waitFor({ state: 'detached' });
  }
});

test('nothing is cut or runs over at 320 pixels, with text twice as large, in German, from right to left', async () => {
  const phone = { viewport: { width: 320, height: 640 }, locale: 'de-DE' };
  const large = { settings: { textSize: 200 } };
  for (const options of [phone, { ...phone, ...large }, large]) {
    await everywhere(options, async (page, path) => {
      for (const direction of ['ltr', 'rtl']) {
        await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
        const where = `${path} ${JSON.stringify(options)} ${direction}`;
        expect(await overflowOf(page), where).toBeLessThanOrEqual(0);
      }
    });
  }
}, 240_000);

test('the way around is at the bottom of phones, in one line and large enough to hit', async () => {
  for (const textSize of [100, 150, 200]) {
    const { page } = await visit('/', {
      viewport: { width: 320, height: 640 },
      locale: 'de-DE',
      settings: { textSize }
    });
    const bar = (await page.getByRole('navigation').boundingBox())!;
    expect(bar.y + bar.height).toBeCloseTo(640, 0);
    expect(bar.height).toBeLessThan(96);
    for (const link of await page.getByRole('navigation').getByRole('link').all()) {
      const box = (await link.boundingBox())!;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(48);
    }
    await page.getByRole('navigation').getByRole('link').last().click();
    // What there was no room for comes first.
    await page.getByRole('heading', { name: 'Mehr', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Orte' }).waitFor();
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  }
});

test('what is chosen holds from the first paint on', async () => {
  const { page } = await visit('/settings');
  await page.getByLabel('Dark').check();
  await page.getByLabel('150').check();
  await page.getByLabel('Language').selectOption('de');
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await paper()).toBe('rgb(23, 24, 26)');
  await page.reload();
  await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  expect(await paper()).toBe('rgb(23, 24, 26)');
  expect(
    await page.evaluate(() => [
      document.documentElement.lang,
      getComputedStyle(document.documentElement).fontSize
    ])
  ).toEqual(['de', '27px']);
  // Names are set in their own typeface, controls in theirs: both were really loaded.
  const faces = await page.evaluate(() =>
    [...document.fonts].filter((it) => it.status === 'loaded').map((it) => it.family)
  );
  expect(new Set(faces.map((it) => it.replaceAll('"', '')))).toEqual(
    new Set(['Source Serif 4', 'Atkinson Hyperlegible'])
  );
});

test('who wants less movement gets none', async () => {
  const { page } = await visit('/', { reducedMotion: 'reduce' });
  await page.locator('.grid img.here').first().waitFor();
  const longest = await page.evaluate(() =>
    Math.max(
      ...[...document.querySelectorAll('*')].map(
        (it) => parseFloat(getComputedStyle(it).transitionDuration) || 0
      )
    )
  );
  expect(longest).toBeLessThan(0.01);
});
