import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome();

test('an original that has rotten is named, until somebody hands it in again', async () => {
  const { page } = await visit('/add');
  const letter = {
    name: 'Letter of 1952.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Dear Lotte, the harvest is in.')
  };
  const files = page.locator('[data-testid=files]');
  await files.setInputFiles(letter);
  await page.getByText('1 of 1 file is there').waitFor();
  const id = await heirloom.asset(letter.name);
  const { content_hash } = await heirloom.get<{ content_hash: string }>(`/api/v1/assets/${id}`);

  await heirloom.stop();
  const blob = heirloom.blob(content_hash);
  rmSync(blob);
  writeFileSync(blob, 'Dear Lotte, the harvest is out');
  heirloom.configure('scrub_rate = "1 GB"');
  await heirloom.start();
  await until(async () => {
    const scrub = await heirloom.get<{ passes: { ended_at_ms?: number }[] }>('/api/v1/scrub');
    return Boolean(scrub.passes[0]?.ended_at_ms);
  });

  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${heirloom.address}/archives`);
  await page.getByText('1 original is damaged:').waitFor();
  await page.getByText('No other copy of it is known.').waitFor();
  await page.getByRole('heading', { name: 'Where everything is kept' }).waitFor();
  await page.getByText('Files are not encrypted where they are kept.').waitFor();
  await page.getByText('In the data folder on this machine').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  await page.getByRole('link', { name: letter.name }).click();
  await page.waitForURL(`**/assets/${id}**`);

  await page.goto(`${heirloom.address}/add`);
  await files.setInputFiles(letter);
  await until(async () => {
    const scrub = await heirloom.get<{ damaged: unknown[] }>('/api/v1/scrub');
    return scrub.damaged.length === 0;
  });
  await page.goto(`${heirloom.address}/archives`);
  await page.getByText('No original is known to be damaged.').waitFor();
});

test('a folder is chosen by keyboard, and what is there already is not typed', async () => {
  const disk = realpathSync(mkdtempSync(join(tmpdir(), 'heirloom-browser-folders-')));
  mkdirSync(join(disk, 'Grandfather/Slides 1961'), { recursive: true });
  mkdirSync(join(disk, '.hidden'));
  writeFileSync(join(disk, 'Grandfather/Slides 1961/One.txt'), 'The harbour.');
  try {
    const { page } = await visit('/archives', { viewport: { width: 320, height: 640 } });
    const field = page.getByRole('textbox', { name: 'Folder' });
    await field.fill(disk);
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    const dialog = page.getByRole('dialog', { name: 'Folders of the machine' });
    const folder = dialog.getByRole('button', { name: 'Grandfather', exact: true });
    await folder.waitFor();
    expect(await dialog.getByRole('listitem').filter({ hasText: 'hidden' }).count()).toBe(0);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    await folder.focus();
    await page.keyboard.press('Enter');
    const within = dialog.getByRole('button', { name: 'Slides 1961', exact: true });
    await until(() => within.evaluate((it) => it === document.activeElement));
    await page.keyboard.press('Enter');
    await dialog.getByText('There is no folder in it.').waitFor();
    await dialog.getByRole('button', { name: 'Grandfather', exact: true }).click();
    await dialog.getByRole('button', { name: `Take ${disk}/Grandfather`, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await field.inputValue()).toBe(`${disk}/Grandfather`);
  } finally {
    rmSync(disk, { recursive: true, force: true });
  }
});
