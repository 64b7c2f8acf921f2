import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { violations } from './accessibility';
import { atHome, overflowOf, until } from './heirloom';

const { heirloom, visit } = atHome({ understands: true });
const NAME = 'evening.mp4';
let film: string;

/** A film in which a newspaper, somebody and a letter are seen for three seconds each. */
function make(): Buffer {
  const to = join(tmpdir(), `heirloom-${process.pid}-${NAME}`);
  const pictures = [
    'sample/Papers/The Siege of Vicksburg.jpg',
    'faces/astronaut.jpg',
    'sample/1944 letters/1944-05-30 Karl to Anna, page 1.jpg'
  ];
  const inputs = pictures.flatMap((it) => [
    ...['-r', '5', '-loop', '1', '-t', '3', '-i'],
    `../testdata/${it}`
  ]);
  const fit = 'scale=1280:960:force_original_aspect_ratio=decrease,pad=1280:960:-1:-1,setsar=1';
  const filter = [0, 1, 2].map((n) => `[${n}]${fit}[p${n}];`).join('') + '[p0][p1][p2]concat=n=3';
  const how = ['-filter_complex', filter, '-pix_fmt', 'yuv420p', '-movflags', '+faststart'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...how, to]);
  return readFileSync(to);
}

const second = (page: { evaluate: (script: string) => Promise<unknown> }) =>
  page.evaluate('document.querySelector("video").currentTime') as Promise<number>;

beforeAll(async () => {
  const { page } = await visit('/add');
  await page
    .locator('[data-testid=files]')
    .setInputFiles({ name: NAME, mimeType: 'video/mp4', buffer: make() });
  await page.getByText('1 of 1 file is there').waitFor();
  film = await heirloom.asset(NAME);
  // What is in it is found out after it was prepared.
  await until(async () => {
    const asset = await heirloom.get<{ artifacts: { kind: string }[] }>(`/api/v1/assets/${film}`);
    const made = asset.artifacts.map(({ kind }) => kind);
    return ['reading', 'faces', 'tags'].every((kind) => made.includes(kind));
  });
}, 120_000);

test('what stands in a film is found at its second, and leads there', async () => {
  const { page } = await visit('/search?q=harbour');
  await page.getByText('0:06').waitFor();
  await page.locator('.assets a').filter({ hasText: NAME }).first().click();
  const panel = page.getByRole('group', { name: 'What stands in it' });
  await panel.getByText('I walked down to the harbour to see it').waitFor();
  await until(async () => (await second(page)) === 6);
  await panel.locator('[aria-current]', { hasText: '0:06–0:09' }).waitFor();
  await panel.getByRole('button', { name: '0:00–0:03' }).click();
  await until(async () => (await second(page)) === 0);
  await panel.locator('[aria-current]', { hasText: '0:00–0:03' }).waitFor();
  // Nobody corrects it beside a scan, and it has no pages.
  expect(
    await page.getByRole('link', { name: 'Save it as a PDF that can be searched' }).count()
  ).toBe(0);
  expect(await violations(page)).toEqual([]);
});

test('who is in a film is seen at the moments, and leads there', async () => {
  const { page } = await visit(`/assets/${film}`);
  const face = page.getByRole('button', { name: 'Face 1 of 1, first seen at 0:03' });
  const crop = face.locator('img');
  await until(() => crop.evaluate((it: HTMLImageElement) => it.style.opacity === '1'));
  await face.click();
  await until(async () => (await second(page)) === 3);
  const moments = page.getByRole('group', { name: 'Moments at which this face is seen' });
  await moments.locator('[aria-current]', { hasText: '0:03' }).waitFor();
  await page.getByLabel('Who is it?').fill('Eileen');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Eileen\. / }).waitFor();
  expect(await violations(page)).toEqual([]);
  // She is among the people, cut out of the film.
  const { page: people } = await visit('/people');
  await people.getByRole('link', { name: 'Eileen' }).click();
  const large = people.locator('.faces img').first();
  await until(() => large.evaluate((it: HTMLImageElement) => it.style.opacity === '1'));
  await people.locator('.faces a').first().click();
  await until(async () => (await second(people)) === 3);
});

test('on a small phone, in German and in the dark, a film is read as well', async () => {
  const { page } = await visit(`/assets/${film}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  const panel = page.getByRole('group', { name: 'Was darin steht' });
  await panel.getByRole('button', { name: '0:06–0:09' }).waitFor();
  await page.getByRole('button', { name: 'zuerst zu sehen bei 0:03' }).click();
  await page.getByRole('group', { name: 'Zeiten, zu denen dieses Gesicht' }).waitFor();
  // What lies below the bar at the bottom is reached when it is scrolled to.
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
