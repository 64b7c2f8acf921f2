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
    return asset.artifacts.some(({ kind }) => kind === 'reading');
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

test('on a small phone, in German and in the dark, a film is read as well', async () => {
  const { page } = await visit(`/assets/${film}`, {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE',
    colorScheme: 'dark'
  });
  const panel = page.getByRole('group', { name: 'Was darin steht' });
  await panel.getByRole('button', { name: '0:06–0:09' }).waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
});
