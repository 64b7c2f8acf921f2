import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

// Their originals are nowhere: whoever wants to prepare them fails with each of them, for minutes.
const { heirloom, visit } = atHome({ seeded: 120_000 });

interface Run {
  id: string;
  state: string;
  steps: { step: string; failed: number; pending: number; cancelled: number }[];
}

/** The ids of so many assets, the newest first. */
async function listIds(count: number): Promise<string[]> {
  const ids: string[] = [];
  let after = '';
  while (ids.length < count) {
    const page = await heirloom.get<{ items: { id: string }[]; next: string }>(
      `/api/v1/assets?limit=500${after && `&after=${encodeURIComponent(after)}`}`
    );
    ids.push(...page.items.map((item) => item.id));
    after = page.next;
  }
  return ids.slice(0, count);
}

/** What of an album is in the page: how many nodes in all, and each tile with its place. */
function look(page: Page): Promise<{ nodes: number; tiles: [number, string | undefined][] }> {
  return page.evaluate(() => ({
    nodes: document.querySelectorAll('*').length,
    tiles: [...document.querySelectorAll<HTMLElement>('.tiles li')].map((tile) => [
      Number(tile.getAttribute('aria-posinset')),
      tile.dataset.id
    ])
  }));
}

test('an album of ten thousand costs the page no more than one of a hundred', async () => {
  // Backwards: an order of its own.
  const ids = (await listIds(10_000)).reverse();
  const album = await heirloom.post<{ id: string }>('/api/v1/collections', {
    name: 'Everything',
    assets: ids.slice(0, 5000)
  });
  await heirloom.post(`/api/v1/collections/${album.id}/assets`, { assets: ids.slice(5000) });
  const { page } = await visit(`/collections/${album.id}`);
  const heap = await page.context().newCDPSession(page);
  const usedBytes = async () => {
    await heap.send('HeapProfiler.collectGarbage');
    return (await heap.send('Runtime.getHeapUsage')).usedSize;
  };
  const leapTo = (share: number) =>
    page.evaluate((share) => scrollTo(0, share * document.documentElement.scrollHeight), share);

  let most = 0;
  const used = new Map<number, number>();
  await until(async () => (await look(page)).tiles.length > 10);
  for (let known = 0; known < ids.length;) {
    await leapTo(1);
    const { nodes, tiles } = await look(page);
    most = Math.max(most, nodes);
    for (const [place, id] of tiles) if (id) expect(id).toBe(ids[place - 1]);
    known = tiles.at(-1)![0];
    const stage = Math.floor(known / 2500) * 2500;
    if (stage > 0 && !used.has(stage)) used.set(stage, await usedBytes());
  }
  expect(most).toBeLessThan(1500);
  expect(await page.locator('.tiles li').last().getAttribute('aria-setsize')).toBe('10000');
  // Four times as many take no more than what they are known by: all of them at once are ten times that.
  const [few, all] = [used.get(2500)!, used.get(10_000)!];
  expect(all - few).toBeLessThan(3_000_000);

  // What was let go of comes again, in its place, wherever one leaps to.
  for (const share of [0, 0.5, 0.25, 0.9]) {
    await leapTo(share);
    await until(async () => {
      const { tiles } = await look(page);
      const at = tiles[0]![0] / ids.length;
      return Math.abs(at - share) < 0.02 && tiles.every(([place, id]) => id === ids[place - 1]);
    });
  }

  // The viewer goes on in its order, and back leads to where one was.
  const { tiles } = await look(page);
  const [place] = tiles[Math.floor(tiles.length / 2)]!;
  await page.locator(`.tiles li[data-id="${ids[place - 1]}"] a`).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await until(async () => page.url().endsWith(ids[place]!));
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await until(async () => {
    const box = await page.locator(`.tiles li[data-id="${ids[place]}"]`).boundingBox();
    return box !== null && box.y > -200 && box.y < 900;
  });
}, 180_000);

test('a run pauses, goes on, stops and is tried again by its buttons, and is seen to go on', async () => {
  const run = await heirloom.post<Run>('/api/v1/runs', { pipeline: 'prepare' });
  const now = () => heirloom.get<Run>(`/api/v1/runs/${run.id}`);
  const { page } = await visit(`/runs/${run.id}`);
  const state = (words: string) => page.getByText(words, { exact: true }).waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  /** How many have failed so far, as the page says. */
  const failed = async () => {
    const said = await page.locator('.step p').allInnerTexts();
    const counts = said.map((text) =>
      Number(/([\d,]+) failed/.exec(text)?.[1]?.replace(',', '') ?? 0)
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  /** Waits until the page has told of more, twice. Nobody reloads it. */
  const goesOn = async () => {
    for (let times = 0; times < 2; times++) {
      const before = await failed();
      await until(async () => (await failed()) > before);
    }
  };
  await state('At work');
  await goesOn();
  expect(await button('Try again what failed').count()).toBe(0);

  await button('Pause').click();
  await state('Paused');
  // What was at hand is done first; then nothing more happens.
  const sumOf = (run: Run) => run.steps.reduce((sum, step) => sum + step.failed, 0);
  let last = -1;
  await until(async () => {
    const sum = sumOf(await now());
    const isStill = sum === last;
    last = sum;
    await page.waitForTimeout(500);
    return isStill;
  });
  await until(async () => (await failed()) === last);
  expect((await now()).state).toBe('paused');

  await button('Go on').click();
  await state('At work');
  await goesOn();

  await page.locator('details.group summary').first().click();
  await page.getByText('The original was not there.').first().waitFor();

  await button('Stop').click();
  await state('Stopped');
  expect((await now()).state).toBe('cancelled');
  await button('Try again what failed').click();
  await state('At work');
  await goesOn();
  await button('Stop').click();
  await state('Stopped');
}, 120_000);
