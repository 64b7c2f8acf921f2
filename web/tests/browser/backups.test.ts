import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome();
const disk = mkdtempSync(join(tmpdir(), 'heirloom-browser-disk-'));
afterAll(() => rmSync(disk, { recursive: true, force: true }));

interface Backup {
  kind: string;
  state: string;
}
const done = async () =>
  (await heirloom.get<{ items: Backup[] }>('/api/v1/backups')).items.map(
    ({ kind, state }) => `${kind} ${state}`
  );

test('a backup is set up, made, proved and checked, and says what came of it', async () => {
  const { page, allow } = await visit('/archives');
  await page.getByRole('link', { name: 'Backups: everything a second time' }).click();
  await page.getByText('Nothing is backed up yet.').waitFor();
  const folder = page.getByLabel('Where the backup is kept');

  // What cannot be is said, and nothing is lost of what was typed.
  allow(/status of 4\d\d/);
  await folder.fill(heirloom.folder);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
  expect(await folder.inputValue()).toBe(heirloom.folder);

  await folder.fill(join(disk, 'repository'));
  await page.getByLabel('Also the originals in folders outside Heirloom').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'A key was made just now: print it' }).waitFor();
  expect(await page.getByText(join(heirloom.folder, 'backup.key')).count()).toBe(1);

  for (const [button, sentence] of [
    ['Back up now', /^\d+ files, .* of it new\.$/],
    ['Prove it now', /restored; \d+ originals? compared byte for byte\.$/],
    ['Check every byte', /^1 backup looked through/]
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    await page.getByText(sentence).waitFor();
  }
  expect(await done()).toEqual(['check done', 'proof done', 'backup done']);
  await until(async () => (await page.getByText('Not yet').count()) === 0);
  expect(await page.getByRole('alert').count()).toBe(0);

  // Somebody's typing outlives what is told meanwhile; what was set is there after a reload.
  await page.getByLabel('Prove it').selectOption('30');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.reload();
  await page.getByText('Last proved by restoring').waitFor();
  expect(await page.getByLabel('Prove it').inputValue()).toBe('30');
});

test('an original that has rotten comes back from the backup by itself', async () => {
  const { page } = await visit('/add');
  const text = 'Dear Lotte, the barn is full.';
  const letter = { name: 'Letter.txt', mimeType: 'text/plain', buffer: Buffer.from(text) };
  await page.locator('[data-testid=files]').setInputFiles(letter);
  await page.getByText('1 of 1 file is there').waitFor();
  await page.goto(`${heirloom.address}/backups`);
  await page.getByRole('button', { name: 'Back up now' }).click();
  await until(async () => (await done()).filter((it) => it === 'backup done').length === 2);

  const id = await heirloom.asset(letter.name);
  const { content_hash } = await heirloom.get<{ content_hash: string }>(`/api/v1/assets/${id}`);
  await heirloom.stop();
  const blob = heirloom.blob(content_hash);
  rmSync(blob);
  writeFileSync(blob, text.replace('barn', 'born'));
  heirloom.configure('scrub_rate = "1 GB"');
  await heirloom.start();
  // Between the two there is none for a moment.
  await until(async () => readFileSync(blob, 'utf8') === text);
  await page.goto(`${heirloom.address}/archives`);
  await page.getByText('No original is known to be damaged.').waitFor();
  expect(await (await fetch(`${heirloom.address}/api/v1/assets/${id}/original`)).text()).toBe(text);
});

test('a backup that is damaged says so, also on a small phone', async () => {
  const packs = join(disk, 'repository/data');
  expect(existsSync(packs)).toBe(true);
  const pack = (readdirSync(packs, { recursive: true }) as string[]).find((it) => it.length > 60)!;
  writeFileSync(join(packs, pack), 'not what it was');

  const { page } = await visit('/backups', { viewport: { width: 320, height: 640 } });
  await page.getByRole('button', { name: 'Prove it now' }).click();
  await page.getByText('The last proof failed').waitFor();
  await page.getByRole('heading', { name: 'Proof: failed' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect((await done())[0]).toBe('proof failed');

  // Whoever only looks at pictures hears of it as well.
  await page.goto(heirloom.address);
  await page.getByText('The backup needs you: it failed, or is overdue.').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  await page.getByRole('link', { name: 'What is wrong' }).click();
  await page.getByText('The last proof failed').waitFor();

  await page.getByRole('button', { name: 'Stop backing up' }).click();
  await page.getByText('Nothing is backed up by itself.').waitFor();
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('button', { name: 'Stop backing up' }).click();
  await page.getByText('Nothing is backed up by itself.').waitFor();
  expect(existsSync(packs), 'what was backed up stays').toBe(true);
});
