/**
 * How fast the web app is, in Debian's Chromium on the real program: `node scripts/bench.mjs PROGRAM`. Figures stand
 * beside their limits, and one that misses its limit is marked. Throttling is Chromium's own, through its
 * debugger; these are no figures of Lighthouse.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { seed } from './seed.mjs';

const program = process.argv[2] ?? '../target/release/heirloom';
const ASSETS = 120_000;
const RUNS = 5;
/** What is called slow 3G by WebPageTest: bytes a second and milliseconds. */
const SLOW_3G = {
  offline: false,
  downloadThroughput: 50_000,
  uploadThroughput: 50_000,
  latency: 400
};
/** Waits for so many milliseconds. */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seen = (page) => page.evaluate(() => window.seen);
const firstTile = (page) => page.locator('.grid a img.here').first().waitFor();
const PHONE = { width: 412, height: 823 };

const folder = mkdtempSync(join(tmpdir(), 'heirloom-bench-web-'));
const address = 'http://127.0.0.1:8497';
const servers = [];
let browser;
try {
  console.log('cataloguing the sample library');
  const full = join(folder, 'full');
  scan(full);
  console.log(`seeding ${ASSETS} assets`);
  seed(full, ASSETS);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage']
  });
  console.log('');
  execFileSync('node', ['scripts/sizes.mjs'], { stdio: 'inherit' });
  console.log('');
  let stop = await serve(join(folder, 'empty'));
  await figure(
    'largest paint of an empty library, slow 3G, processor at a quarter',
    4500,
    'ms',
    () => median(RUNS, largestPaint)
  );
  await stop();
  stop = await serve(full);
  await figure(`first picture among ${ASSETS}, the same line`, undefined, 'ms', () =>
    median(RUNS, firstPicture)
  );
  await figure('shift of the layout: opening, scrolling, leaping', 0.05, '', layoutShift);
  await figure('slowest answer to a key or a tap, processor at a quarter', 100, 'ms', () =>
    median(RUNS, slowestInput)
  );
  await figure('frame while scrolling, 95 of 100, processor at a quarter', 50, 'ms', scrollFrame);
  await stop();
} finally {
  await browser?.close();
  for (const server of servers) server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

function scan(data) {
  try {
    const sample = ['scan', '../testdata/sample', '--name', 'Sample library', '--data', data];
    execFileSync(program, sample, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    // 1 says that something of it failed, and everything else is there.
    if (error.status !== 1) throw error;
  }
}

async function serve(data) {
  const server = spawn(program, ['serve', '--listen', address.slice(7), '--data', data], {
    stdio: ['ignore', 'ignore', 'inherit']
  });
  servers.push(server);
  for (;;) {
    if (
      await fetch(`${address}/readyz`).then(
        (answer) => answer.ok,
        () => false
      )
    )
      break;
    await pause(100);
  }
  return async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  };
}

async function figure(what, limit, unit, measure) {
  const value = await measure();
  const shown = unit === 'ms' ? `${Math.round(value)} ms` : value.toFixed(3);
  const beside = limit === undefined ? '' : `of ${limit}${unit && ` ${unit}`}`;
  const mark = limit !== undefined && value > limit ? '  MISSED' : '';
  console.log(`${what.padEnd(74)} ${shown.padStart(9)} ${beside}${mark}`);
}

async function median(times, measure) {
  const values = [];
  for (let i = 0; i < times; i++) values.push(await measure());
  values.sort((a, b) => a - b);
  return values[Math.floor(times / 2)];
}

/** A page of a browser that has never been here. */
async function visit(use, { line, slowdown = 1, viewport = PHONE } = {}) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', serviceWorkers: 'block' });
  try {
    const page = await context.newPage();
    const debug = await context.newCDPSession(page);
    await debug.send('Network.enable');
    if (line) await debug.send('Network.emulateNetworkConditions', line);
    await debug.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    await page.addInitScript(() => {
      const seen = (window.seen = { shift: 0, paint: 0, slowest: 0 });
      const watch = (type, take, more) =>
        new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({
          type,
          buffered: true,
          ...more
        });
      watch('layout-shift', (it) => (seen.shift += it.hadRecentInput ? 0 : it.value));
      watch('largest-contentful-paint', (it) => (seen.paint = it.startTime));
      watch(
        'event',
        (it) => (seen.slowest = Math.max(seen.slowest, it.interactionId ? it.duration : 0)),
        {
          durationThreshold: 16
        }
      );
    });
    return await use(page, debug);
  } finally {
    await context.close();
  }
}

function largestPaint() {
  return visit(
    async (page) => {
      await page.goto(address, { timeout: 60_000 });
      await page.getByText('Nothing is here yet.').waitFor({ timeout: 60_000 });
      await page.evaluate(() => document.fonts.ready);
      await pause(1500);
      return (await seen(page)).paint;
    },
    { line: SLOW_3G, slowdown: 4 }
  );
}

function firstPicture() {
  return visit(
    async (page) => {
      await page.goto(address, { timeout: 60_000 });
      await page.locator('.grid a img.here').first().waitFor({ timeout: 60_000 });
      return page.evaluate(() => performance.now());
    },
    { line: SLOW_3G, slowdown: 4 }
  );
}

function layoutShift() {
  return visit(async (page) => {
    await page.goto(address);
    await firstTile(page);
    await pause(1000);
    for (let i = 0; i < 20; i++) {
      await page.mouse.wheel(0, 400);
      await pause(100);
    }
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (const part of [0.2, 0.9, 0.5, 0]) {
      await page.evaluate((to) => scrollTo(0, to), height * part);
      await pause(1000);
    }
    return (await seen(page)).shift;
  });
}

function slowestInput() {
  return visit(
    async (page) => {
      await page.goto(address);
      await firstTile(page);
      await page.locator('.grid a').first().focus();
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
        for (let i = 0; i < 3; i++) {
          await page.keyboard.press(key);
          await pause(200);
        }
      }
      await page.getByRole('button', { name: 'Choose several' }).click();
      await pause(400);
      for (const at of [8, 9, 10]) {
        await page.locator(`.grid a[data-at="${at}"]`).click();
        await pause(300);
      }
      await page.keyboard.press('Escape');
      await pause(300);
      await page.getByRole('button', { name: 'Show only' }).click();
      await page.getByRole('dialog').waitFor();
      await pause(500);
      await page.keyboard.press('Escape');
      await pause(1000);
      return (await seen(page)).slowest;
    },
    { slowdown: 4 }
  );
}

function scrollFrame() {
  return visit(
    async (page, debug) => {
      await page.goto(address);
      await firstTile(page);
      await page.evaluate(() => scrollTo(0, 200_000));
      await pause(3000);
      await page.evaluate(() => {
        window.frames_ms = [];
        let last = performance.now();
        const look = (now) => {
          window.frames_ms.push(now - last);
          last = now;
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
      await debug.send('Input.synthesizeScrollGesture', {
        x: 200,
        y: 400,
        yDistance: -12_000,
        speed: 1500,
        gestureSourceType: 'touch'
      });
      const frames = await page.evaluate(() => window.frames_ms.slice(2));
      frames.sort((a, b) => a - b);
      return frames[Math.floor(frames.length * 0.95)];
    },
    { slowdown: 4 }
  );
}
