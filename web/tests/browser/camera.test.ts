import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
heirloom.configure('scrub_rate = "0"\ntesseract = ["eng"]\n');
const NAME = 'On the table.jpg';
let photograph: string;
let wordless: string;

/** A page of a book on a brown table, from the side. */
function photographed(to: string): void {
  const corners = [390, 260, 1490, 180, 180, 2210, 1640, 2330];
  const names = ['x0', 'y0', 'x1', 'y1', 'x2', 'y2', 'x3', 'y3'];
  const places = names.map((name, at) => `${name}=${corners[at]}`).join(':');
  // The table is the margin of what is moved.
  const filter = `pad=iw+200:ih+300:100:150:0x6a4a32,scale=1800:2500,perspective=${places}:sense=destination`;
  const page = join('..', 'testdata', 'sample', 'Papers', 'The Siege of Vicksburg.jpg');
  const made = ['-frames:v', '1', '-update', '1', to];
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', page, '-vf', filter, ...made]);
}

beforeAll(async () => {
  const folder = join(heirloom.folder, '..', `${heirloom.folder.split('/').pop()}-camera`);
  mkdirSync(folder);
  photographed(join(folder, NAME));
  execFileSync(inject('program'), ['scan', folder, '--data', heirloom.folder]);
  photograph = await heirloom.asset(NAME);
  wordless = await heirloom.asset('Chelsea.png');
  const has = async (id: string, kind: string) => {
    const asset = await heirloom.get<{ artifacts: { kind: string }[] }>(`/api/v1/assets/${id}`);
    return asset.artifacts.some((it) => it.kind === kind);
  };
  await until(async () => (await has(photograph, 'flat')) && (await has(wordless, 'reading')));
}, 120_000);

test('a page in a photograph is shown alone, and its lines where they stand in the picture', async () => {
  const { page } = await visit(`/assets/${photograph}/reading`);
  const list = page.getByRole('list', { name: 'Lines on this page' });
  const line = list.getByRole('button').filter({ hasText: 'Johnston is com' });
  await line.focus();
  const mark = page.locator('.scan polygon');
  await mark.waitFor();
  const points = (await mark.getAttribute('points'))!
    .split(' ')
    .map((it) => it.split(',').map(Number));
  // It leans as the table does.
  expect(points[0]![1]).not.toBe(points[1]![1]);
  await page.getByRole('button', { name: 'Whole page' }).click();
  const alone = page.getByRole('img', { name: 'The page alone, straight and in one light' });
  await alone.waitFor();
  expect(await alone.getAttribute('src')).toContain('/renditions/flat');
  expect(await violations(page)).toEqual([]);
});

test('what another reads otherwise is marked, and said where the line is corrected', async () => {
  const { page } = await visit(`/assets/${photograph}`);
  const panel = page.getByRole('group', { name: 'What stands in it' });
  await panel.waitFor();
  await page.getByText('A second reader (tesseract) was asked, too').waitFor();
  const doubt = panel.locator('mark[title^="Another reader"]').first();
  await doubt.waitFor();
  const word = await doubt.innerText();
  await page.getByRole('link', { name: 'See the page alone' }).waitFor();
  await page.goto(`${heirloom.address}/assets/${photograph}/reading`);
  await page.getByRole('button', { name: 'Next line to check' }).first().click();
  expect(word.length).toBeGreaterThan(0);
  expect(await violations(page)).toEqual([]);
});

test('where nothing was read it is written down from where it is shown', async () => {
  const { page } = await visit(`/assets/${wordless}`);
  await page.getByText('No writing was found in it.').waitFor();
  await page.getByRole('link', { name: 'Write down what stands there' }).click();
  await page.waitForURL(`**/assets/${wordless}/reading`);
  await page.getByRole('button', { name: 'Add a line that was missed' }).waitFor();
});

test('on a small phone, in German and in the dark, the page alone is shown as well', async () => {
  const { page } = await visit(`/assets/${photograph}/reading`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  await page.getByRole('button', { name: 'Ganze Seite' }).click();
  await page.getByRole('img', { name: 'Die Seite allein, gerade und gleichmäßig hell' }).waitFor();
  // No button is half behind the navigation.
  await page
    .getByRole('button', { name: 'Ganze Seite' })
    .evaluate((it) => it.scrollIntoView({ block: 'center' }));
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
