import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { heirloom, visit } = atHome();
const disk = mkdtempSync(join(tmpdir(), 'heirloom-browser-stick-'));
afterAll(() => rmSync(disk, { recursive: true, force: true }));

const count = async () =>
  (await heirloom.get<{ items: unknown[] }>('/api/v1/assets?limit=500')).items.length;

test('a folder is looked at first, and then brought in', async () => {
  const folder = join(disk, 'From aunt Ida');
  mkdirSync(folder);
  writeFileSync(join(folder, 'Her recipe.txt'), 'Take three eggs.');
  const { page, allow } = await visit('/archives');
  await page.getByRole('link', { name: 'Bring in from another program' }).click();
  const folders = page.getByLabel('Folders or archives on the machine');

  // What is not there is said, and nothing is lost of what was typed.
  allow(/status of 4\d\d/);
  await folders.fill(join(disk, 'From uncle Max'));
  await page.getByRole('button', { name: 'Look what is there first' }).click();
  await page.getByText('Nothing is there. Is the disk plugged in').waitFor();
  expect(await folders.inputValue()).toBe(join(disk, 'From uncle Max'));

  await folders.fill(`\n${folder}\n`);
  const before = await count();
  await page.getByRole('button', { name: 'Look what is there first' }).click();
  await page.getByText('Nothing was changed. There would be:').waitFor();
  await page.getByText('1 new original', { exact: true }).waitFor();
  expect(await count()).toBe(before);

  await page.getByRole('button', { name: 'Bring it in' }).click();
  await page.getByText('1 file was looked at. There are:').waitFor();
  expect(await count()).toBe(before + 1);
  await page.getByRole('link', { name: 'Done', exact: true }).click();
  await page.getByRole('heading', { name: 'Bringing in', level: 1 }).waitFor();
  await page.getByText('1 new original', { exact: true }).waitFor();
});

test('what is refused and what fails is told in the language of the reader', async () => {
  const { page, allow } = await visit('/transfers', { locale: 'de-DE' });
  allow(/status of 4\d\d/);
  const folder = join(disk, 'Voll');
  mkdirSync(folder);
  writeFileSync(join(folder, 'Brief.txt'), 'Liebe Ida');
  await page.getByLabel('In welchen Ordner').fill(folder);
  await page.getByRole('button', { name: 'Mitnehmen', exact: true }).click();
  await page.getByText('In diesem Ordner ist schon etwas anderes.').waitFor();

  // An export whose manifest is damaged is found to be none only when it is read.
  await page.getByLabel('In welchen Ordner').fill(join(disk, 'Beschädigt'));
  await page.getByRole('button', { name: 'Mitnehmen', exact: true }).click();
  await page.getByText('Zum Ansehen dort index.html').waitFor();
  writeFileSync(join(disk, 'Beschädigt', 'manifest-sha512.txt'), 'x');
  await page.getByLabel('Ordner oder Archive auf dem Rechner').fill(join(disk, 'Beschädigt'));
  await page.getByRole('button', { name: 'Hereinholen' }).click();
  await page.getByText('Das wurde nicht aus einem Heirloom mitgenommen').waitFor();
});

test('what could not be brought in is told in the language of the reader', async () => {
  const { page } = await visit('/transfers', { locale: 'de-DE' });
  const folder = join(disk, 'Verknüpft');
  mkdirSync(folder);
  writeFileSync(join(folder, 'Brief.txt'), 'Liebe Hanna');
  symlinkSync('/etc/hostname', join(folder, 'Anderswo.txt'));
  await page.getByLabel('Ordner oder Archive auf dem Rechner').fill(folder);
  await page.getByRole('button', { name: 'Hereinholen' }).click();
  await page.getByText('1 Sache ist nicht, wie').click();
  const problem = page.getByRole('listitem').filter({ hasText: 'Anderswo.txt' });
  await problem.getByText('ist eine Verknüpfung, der nicht gefolgt wird').waitFor();
});

test('everything is taken along, and is found from a stick without Heirloom', async () => {
  const { page } = await visit('/transfers');
  const folder = join(disk, 'Taken along');
  await page.getByLabel('Into which folder').fill(folder);
  await page.getByRole('button', { name: 'Take it along' }).click();
  await page.getByText(`are in ${folder}.`).waitFor();
  await heirloom.stop();

  await page.goto(pathToFileURL(join(folder, 'index.html')).href);
  const words = page.locator('#words');
  await words.fill('chelsea');
  const found = page.locator('#found').getByRole('link');
  // The words lie in several files, which come one after the other.
  const cat = page.locator('#found li', { hasText: 'Chelsea.png' });
  await cat.waitFor();
  const picture = cat.locator('img');
  await until(() => picture.evaluate((it: HTMLImageElement) => it.naturalWidth > 0));
  await words.fill('gibtesnicht');
  await found.first().waitFor({ state: 'detached' });
});
