import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { heirloom, visit } = atHome();

test('a run is told as it goes, also after the server was away', async () => {
  const { page } = await visit('/runs');
  await page.getByRole('link', { name: 'Reading a folder' }).waitFor();
  const before = await page.locator('li.card').count();

  // Nobody is asked for anything anew: what appears was told.
  await heirloom.post('/api/v1/runs', { pipeline: 'prepare' });
  await until(async () => (await page.locator('li.card').count()) === before + 1);
  await until(async () => (await page.locator('li.card').first().innerText()).includes('Done'));

  await heirloom.stop();
  await page.waitForTimeout(500);
  await heirloom.start();
  await heirloom.post('/api/v1/runs', { pipeline: 'prepare' });
  await until(async () => (await page.locator('li.card').count()) === before + 2);
});

test('a run that has ended is shown as it ended, also after the server was started anew', async () => {
  const asset = await heirloom.asset('IMG_5195.MOV');
  const run = await heirloom.post<{ id: string }>('/api/v1/runs', {
    pipeline: 'prepare',
    asset_ids: [asset]
  });
  const { page } = await visit(`/runs/${run.id}`);
  await page.getByText('Done', { exact: true }).waitFor();
  await page.getByText('1 of 1 are there').first().waitFor();
  await heirloom.stop();
  await heirloom.start();
  await page.reload();
  await page.getByText('Done', { exact: true }).waitFor();
});

test('what failed is told by reason, with the files, and can be tried again', async () => {
  // A film that is cut off: made here, because the sample library is sound.
  const bytes = Buffer.from(
    '000000186674797069736f6d0000020069736f6d69736f320000000866726565000010006d64617400',
    'hex'
  );
  const { page } = await visit('/add');
  await page.locator('[data-testid=files]').setInputFiles({
    name: 'cut off.mp4',
    mimeType: 'video/mp4',
    buffer: Buffer.concat([bytes, Buffer.alloc(4096, 7)])
  });
  await page.getByText('1 of 1 file is there').waitFor();
  await until(async () => {
    const runs = await heirloom.get<{
      items: { pipeline: string; state: string; steps: { failed: number }[] }[];
    }>('/api/v1/runs');
    return runs.items.some(
      (run) => run.steps.some((step) => step.failed > 0) && run.state === 'done'
    );
  });
  await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).click();
  await page.locator('li.card', { hasText: 'failed' }).first().getByRole('link').click();
  await page.getByRole('heading', { name: 'What failed, and why' }).waitFor();
  await page.locator('details.group summary').first().click();
  await page.getByRole('link', { name: 'cut off.mp4' }).first().waitFor();
  await page.getByRole('button', { name: 'Try again what failed' }).click();
  await until(async () => (await page.getByText('Done', { exact: true }).count()) === 1);
});

test('an archive is read again, and says what was found', async () => {
  const { page, allow } = await visit('/archives');
  allow(/422/);
  const card = page.locator('li.card', { hasText: 'Sample library' });
  const begun = page.waitForResponse((res) => res.url().endsWith('/scans'));
  const button = card.getByRole('button', { name: 'Read again' });
  await button.click();
  expect((await begun).status()).toBe(201);
  await until(async () => (await button.isEnabled()) && (await card.innerText()).includes('Done'));
  await card.getByText('What was found').click();
  await card.getByText('66 are as they were').waitFor();
  await page.getByRole('textbox', { name: 'Folder' }).fill('/no/such/folder');
  const refused = page.waitForResponse(
    (res) => res.url().endsWith('/api/v1/archives') && res.request().method() === 'POST'
  );
  await page.getByRole('button', { name: 'Read this folder' }).click();
  expect((await refused).status()).toBe(422);
  await page.getByText('This folder cannot be an archive.').waitFor();
});
