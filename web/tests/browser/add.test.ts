import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { heirloom, visit } = atHome();

test('a file that was on its way when the page was closed goes on from where it was', async () => {
  const { page, allow } = await visit('/add');
  // A line on which this takes half a minute: there is time to leave.
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  const slow = { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: 400_000 };
  await line.send('Network.emulateNetworkConditions', slow);
  const bytes = Buffer.alloc(12_000_000);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE((i * 2654435761) >>> 0, i);
  await page
    .locator('[data-testid=files]')
    .setInputFiles({ name: 'long story.bin', mimeType: 'application/octet-stream', buffer: bytes });
  await until(async () => {
    const value = await page.locator('progress').evaluate((it: HTMLProgressElement) => it.value);
    return value > 0.15;
  });
  allow(/ERR_/);
  await page.goto('about:blank');
  await line.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });

  const offsets: number[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
  });
  // Anywhere in the app will do.
  await page.goto(`${heirloom.address}/settings`);
  await until(async () => (await heirloom.asset('long story.bin')) !== '');
  expect(offsets.length).toBeGreaterThan(0);
  expect(offsets[0]).toBeGreaterThan(0);

  await page.goto(`${heirloom.address}/add`);
  await page.getByText('1 of 1 file is there').waitFor();
  await page.getByText('added', { exact: true }).waitFor();
  const id = await heirloom.asset('long story.bin');
  const original = await fetch(`${heirloom.address}/api/v1/assets/${id}/original`);
  expect(Buffer.from(await original.arrayBuffer()).equals(bytes)).toBe(true);
  expect(await page.evaluate(() => localStorage.getItem('uploads-waiting'))).toBeNull();
}, 90_000);

test('what is there already is told, and several are kept apart', async () => {
  const { page } = await visit('/add');
  const known = readFileSync('../testdata/sample/2013 Heather.webp');
  await page.locator('[data-testid=files]').setInputFiles([
    { name: 'again.webp', mimeType: 'image/webp', buffer: known },
    { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear Anna') }
  ]);
  await page.getByText('2 of 2 files are there').waitFor();
  await page.getByText('was here already: nothing was stored twice').waitFor();
  await page.getByRole('link', { name: 'again.webp' }).click();
  await page.getByRole('heading', { name: '2013 Heather.webp', level: 1 }).waitFor();
});

test('a file can be dropped and pasted', async () => {
  const { page } = await visit('/add');
  await page.evaluate(() => {
    const give = (name: string, type: string) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([`from ${name}`], name, { type: 'text/plain' }));
      const init = { bubbles: true, cancelable: true };
      const event =
        type === 'paste'
          ? new ClipboardEvent(type, { ...init, clipboardData: transfer })
          : new DragEvent(type, { ...init, dataTransfer: transfer });
      document.querySelector('.drop')!.dispatchEvent(event);
    };
    give('dropped.txt', 'drop');
    give('pasted.txt', 'paste');
  });
  await page.getByText('2 of 2 files are there').waitFor();
  expect(await heirloom.asset('dropped.txt')).not.toBe('');
  expect(await heirloom.asset('pasted.txt')).not.toBe('');
});

/** Puts a folder on the page as somebody does who has no mouse, or one. */
const waysToGive: [string, (page: Page, folder: string) => Promise<void>][] = [
  [
    'chosen',
    async (page, folder) => {
      const chosen = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Choose a folder' }).focus();
      await page.keyboard.press('Enter');
      await (await chosen).setFiles(folder);
    }
  ],
  [
    'dropped',
    async (page, folder) => {
      const box = (await page.locator('.drop').boundingBox())!;
      const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      const data = { items: [], files: [folder], dragOperationsMask: 1 };
      const line = await page.context().newCDPSession(page);
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await line.send('Input.dispatchDragEvent', { type, ...at, data });
    }
  ]
];

test.each(waysToGive)(
  'a folder can be %s, with what is in its folders, but for what is hidden',
  async (way, give) => {
    const place = mkdtempSync(join(tmpdir(), 'heirloom-folder-'));
    try {
      for (const folder of ['Harz/Brocken', 'Harz/.thumbnails'])
        mkdirSync(join(place, folder), { recursive: true });
      for (const name of [
        `Harz/way ${way}.txt`,
        `Harz/Brocken/top ${way}.txt`,
        'Harz/.thumbnails/small.txt',
        'Harz/.DS_Store'
      ])
        writeFileSync(join(place, name), `from ${name}`);
      const { page } = await visit('/add');
      await give(page, join(place, 'Harz'));
      await page.getByText('2 of 2 files are there').waitFor();
      for (const name of [`way ${way}.txt`, `top ${way}.txt`]) {
        await page.getByRole('link', { name, exact: true }).waitFor();
        expect(await heirloom.asset(name)).not.toBe('');
      }
    } finally {
      rmSync(place, { recursive: true });
    }
  }
);

test('what is held in the hand takes a picture for it', async () => {
  const { page } = await visit('/add', { hasTouch: true, isMobile: true });
  const chosen = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Take a picture' }).tap();
  const chooser = await chosen;
  expect(await chooser.element().getAttribute('capture')).toBe('environment');
  const buffer = readFileSync('../testdata/sample/2002 Summer in Europe/Haymaking.jpg');
  await chooser.setFiles({ name: 'just now.jpg', mimeType: 'image/jpeg', buffer });
  await page.getByText('1 of 1 file is there').waitFor();
});

test('where a browser cannot choose folders nobody is asked to', async () => {
  const { page } = await visit('/settings');
  await page.addInitScript(() => {
    delete (HTMLInputElement.prototype as { webkitdirectory?: boolean }).webkitdirectory;
  });
  await page.goto(`${heirloom.address}/add`);
  await page.getByRole('button', { name: 'Choose files' }).waitFor();
  expect(await page.getByRole('button', { name: 'Choose a folder' }).count()).toBe(0);
});
