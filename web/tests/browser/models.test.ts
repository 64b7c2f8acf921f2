import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atHome, overflowOf } from './heirloom';

const { heirloom, visit } = atHome({ isEmpty: true });
const weights = Buffer.alloc(400_000, 7);
// One that is used, and one that is not; nobody asks either here.
heirloom.configure(`scrub_rate = "0"
transcription = ["local", "cloud"]

[[transcription_services]]
name = "cloud"
address = "https://api.example.org/v1"

[[transcription_services]]
name = "nas"
kind = "whisper.cpp"
address = "http://192.168.1.4:8080"

[[reading_services]]
name = "olmocr"
address = "http://pages.home.arpa:8000/v1"
model = "olmOCR"

[[tagging_services]]
name = "vision"
kind = "google-vision"
address = "https://vision.example.org/v1"
`);
let server: Server;
let isHere = false;
let goOn = () => {};

beforeAll(async () => {
  // It has nothing at first; then half of the file, and the rest when somebody has seen that.
  server = createServer((request, answer) => {
    if (!isHere) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { 'content-length': weights.length });
    answer.write(weights.subarray(0, 200_000));
    goOn = () => answer.end(weights.subarray(200_000));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

test('what is missing is fetched, seen on its way, and here', async () => {
  const { port } = server.address() as AddressInfo;
  const sha256 = createHash('sha256').update(weights).digest('hex');
  const source = `http://127.0.0.1:${port}/model.bin`;
  await heirloom.post('/api/v1/models', {
    id: 'my-language',
    ability: 'language',
    files: [{ source, sha256 }]
  });
  const { page } = await visit('/models');
  const card = page.locator('li.card').filter({ hasText: 'my-language' });
  await card.getByText('404').waitFor();
  await card.getByText('It is missing.').waitFor();

  isHere = true;
  await card.getByRole('button', { name: 'Fetch my-language' }).click();
  await card.getByText('It is being fetched').waitFor();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  goOn();
  await card.getByText('It is here.').waitFor();
  expect(await card.getByRole('button').count()).toBe(0);
});

test('a damaged model says so, also on a small phone and in German', async () => {
  writeFileSync(join(heirloom.folder, 'models/my-language/model.bin'), 'not what it was');
  await heirloom.post('/api/v1/models/my-language/check');
  const { page } = await visit('/models', {
    viewport: { width: 320, height: 640 },
    locale: 'de-DE'
  });
  const card = page.locator('li.card').filter({ hasText: 'my-language' });
  await card.getByText('Es ist beschädigt').waitFor();
  await card.getByText('In Sätzen schreiben und antworten').waitFor();
  await page.getByText('10 Modelle, die gebraucht werden, fehlen').waitFor();
  expect(await overflowOf(page)).toBeLessThanOrEqual(0);
});

test('services elsewhere say how far the sound goes', async () => {
  const { page } = await visit('/models');
  await page.getByText('Who is tried, in this order: a model on this machine, cloud').waitFor();
  const cloud = page.locator('li.card').filter({ hasText: 'api.example.org' });
  await cloud.getByText('The sound leaves the house.').waitFor();
  const nas = page.locator('li.card').filter({ hasText: '192.168.1.4' });
  await nas.getByText('The sound stays in this network.').waitFor();
  await nas.getByText('are not sent to it by themselves').waitFor();
  expect(await cloud.getByText('are not sent to it').count()).toBe(0);
  const olmocr = page.locator('li.card').filter({ hasText: 'pages.home.arpa' });
  await olmocr.getByText('The pages stay in this network.').waitFor();
  await olmocr.getByText('is not sent to it by itself').waitFor();
  const vision = page.locator('li.card').filter({ hasText: 'vision.example.org' });
  await vision.getByText('The pictures leave the house.').waitFor();
  await vision.getByText('Pictures of the library are not sent to it').waitFor();
});
