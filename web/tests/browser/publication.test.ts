import { afterAll, expect, test } from 'vitest';
import { atHome } from './heirloom';
import { startIpfs, type IpfsNode } from './ipfs';

const { heirloom, visit } = atHome();
let node: IpfsNode | undefined;
afterAll(() => node?.stop());

async function album(name: string): Promise<string> {
  const found = await heirloom.get<{ items: { id: string }[] }>(
    '/api/v1/search?q=type:image&limit=2'
  );
  const assets = found.items.map((item) => item.id);
  const made = await heirloom.post<{ id: string }>('/api/v1/collections', { name, assets });
  return made.id;
}

test('without a node nothing is said of publishing', async () => {
  const id = await album('Not there');
  const { page } = await visit(`/collections/${id}`);
  await page.getByRole('heading', { name: 'Not there', level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  expect(await page.getByText('IPFS').count()).toBe(0);
});

test('an album is published sealed, its CID and its key are shown, and it is let go of', async () => {
  node = await startIpfs();
  await heirloom.stop();
  heirloom.configure(`scrub_rate = "0"\nipfs_node = "${node.address}"`);
  await heirloom.start();
  const id = await album('For ever');
  const { page } = await visit(`/collections/${id}`);
  await page.getByText('It is not published.').waitFor();
  await page.getByRole('button', { name: 'Publish for good' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This cannot be taken back.').waitFor();
  // Everybody may read it only after a second tick.
  await dialog.getByLabel('Do not encrypt it').check();
  await dialog.getByRole('button', { name: 'Publish for good' }).click();
  await dialog.getByLabel('I mean it').waitFor();
  await dialog.getByLabel('Do not encrypt it').uncheck();
  await dialog.getByRole('button', { name: 'Publish for good' }).click();
  await page.getByText('Only who has the key can read it.').waitFor();
  const cid = await page.locator('.cid code').innerText();
  expect(cid).toMatch(/^bafy[a-z2-7]{55}$/);
  await page.getByText('Your node: keeps it').waitFor();

  await page.getByRole('button', { name: 'Show the key' }).click();
  await dialog.getByText(/^AGE-SECRET-KEY-1/).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Ask to let go' }).click();
  await dialog.getByText('What others copied stays').waitFor();
  await dialog.getByRole('button', { name: 'Ask to let go' }).click();
  await page.getByText('Those who kept it have let go.').waitFor();

  // What came of it is told at its run.
  await page.goto(`${heirloom.address}/runs`);
  await page.getByRole('link', { name: 'Publishing', exact: true }).click();
  await page.getByText('2 originals are in it').waitFor();
  await page.getByText(cid, { exact: true }).waitFor();
});
