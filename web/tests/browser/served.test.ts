import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { atHome, until } from './heirloom';

const { heirloom, visit } = atHome();

/** As a browser asks, without anything that takes the answer apart. */
function ask(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; header: (name: string) => string; size: number }>(
    (resolve, reject) => {
      const req = request(heirloom.address + path, { headers }, (res) => {
        let size = 0;
        res.on('data', (bytes: Buffer) => (size += bytes.length));
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            header: (name) => String(res.headers[name] ?? ''),
            size
          })
        );
      });
      req.on('error', reject).end();
    }
  );
}

test('files are sent small, kept for ever when their name says what is in them, and asked about otherwise', async () => {
  const page = await ask('/', { 'accept-encoding': 'gzip, br' });
  expect([page.status, page.header('content-encoding'), page.header('cache-control')]).toEqual([
    200,
    'br',
    'no-cache'
  ]);
  const again = await ask('/', {
    'accept-encoding': 'gzip, br',
    'if-none-match': page.header('etag')
  });
  expect([again.status, again.size]).toEqual([304, 0]);
  const plain = await ask('/');
  expect(plain.header('content-encoding')).toBe('');
  expect(plain.header('etag')).not.toBe(page.header('etag'));
  expect(plain.header('vary')).toBe('accept-encoding, accept-language');

  const shell = JSON.parse(readFileSync('build/app/_app/shell.json', 'utf8')) as string[];
  const script = await ask(
    shell.find((name) => name.endsWith('.js'))!,
    { 'accept-encoding': 'gzip' }
  );
  expect(script.header('content-encoding')).toBe('gzip');
  expect(script.header('cache-control')).toContain('immutable');
  expect(script.header('content-type')).toContain('text/javascript');
  const font = await ask(
    shell.find((name) => name.endsWith('.woff2'))!,
    { 'accept-encoding': 'br' }
  );
  expect([font.header('content-type'), font.header('content-encoding')]).toEqual([
    'font/woff2',
    ''
  ]);
});

test('a page names at once what its scripts ask for later', async () => {
  for (const path of ['/', '/search', '/runs', '/settings']) {
    const link = (await ask(path, { 'accept-language': 'en' })).header('link');
    const named = [...link.matchAll(/<([^>]+)>/g)].map(([, file]) => file!);
    expect(named.length, path).toBeGreaterThan(2);
    const { page } = await visit('/offline');
    await page.route(heirloom.address + path, async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers.link;
      await route.fulfill({ response, headers });
    });
    await page.goto(heirloom.address + path);
    await until(async () => {
      const asked = await page.evaluate(() =>
        performance.getEntriesByType('resource').map((it) => new URL(it.name).pathname)
      );
      return named.every((file) => asked.includes(file));
    });
  }
});

test('the policy lets nothing run but the files of the app', async () => {
  const policy = (await ask('/')).header('content-security-policy');
  const script = /script-src ([^;]+)/.exec(policy)?.[1];
  expect(script).toMatch(/^'self' 'sha256-[\w+/=]+'$/);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  const { page, allow } = await visit('/');
  allow(/Content Security Policy/);
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.head.append(script);
    return 'ran' in window;
  });
  expect(ran).toBe(false);
});

/** What is kept in the browser for when there is no line. */
function keptOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await (await caches.open(names[0]!)).keys();
    return requests.map((request) => new URL(request.url).pathname);
  });
}

test('who spares the line has no more kept than the app needs to open', async () => {
  const { page } = await visit('/plain');
  await page.addInitScript(() =>
    Object.defineProperty(navigator, 'connection', { value: { saveData: true } })
  );
  await page.goto(heirloom.address);
  await page.locator('.grid a').first().waitFor();
  await until(async () =>
    page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state === 'activated')
  );
  const shell = JSON.parse(readFileSync('build/app/_app/shell.json', 'utf8')) as string[];
  expect((await keptOf(page)).filter((path) => path.endsWith('.js')).length).toBe(
    [...shell, '/before-paint.js'].filter((path) => path.endsWith('.js')).length
  );
});

test('without a line the app opens and says so, and comes back with it', async () => {
  const { page, allow } = await visit('/');
  await page.locator('.grid a').first().waitFor();
  await until(async () =>
    page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state === 'activated')
  );
  await until(async () => (await keptOf(page)).includes('/_app/rest.json'));
  // All of the app but what is very large, and nothing of the family's.
  const lists = ['shell', 'rest'].flatMap(
    (name) => JSON.parse(readFileSync(`build/app/_app/${name}.json`, 'utf8')) as string[]
  );
  expect([...(await keptOf(page))].sort()).toEqual(
    ['/', '/before-paint.js', '/icon.svg', '/_app/rest.json', ...lists].sort()
  );

  allow(/ERR_INTERNET_DISCONNECTED|Failed to load resource|Failed to fetch|EventSource/);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByText('Heirloom cannot be reached.').first().waitFor();
  await page.getByRole('link', { name: 'What this means' }).click();
  await page.getByRole('heading', { name: 'No connection' }).waitFor();
  // A page that was never opened opens too, and says that nobody answers.
  await page.getByRole('navigation').getByRole('link', { name: 'Backups' }).click();
  await page.getByRole('heading', { name: 'Backups', level: 1 }).waitFor();
  await page.getByText('Heirloom cannot be reached.').first().waitFor();
  await page.context().setOffline(false);
  await page.getByRole('navigation').getByRole('link', { name: 'Library' }).click();
  await until(async () => {
    const again = page.getByRole('button', { name: 'Try again' });
    // It may be gone before it is pressed: the library comes back by itself as well.
    if (await again.isVisible()) await again.click({ timeout: 500 });
    return (await page.locator('.grid a').count()) > 0;
  });
});

test('who has no JavaScript is led to the plain list', async () => {
  const { page } = await visit('/plain', { javaScriptEnabled: false });
  await page.goto(heirloom.address);
  await page.getByRole('link', { name: 'Open the plain list' }).click();
  await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
  await page
    .getByRole('link', { name: /Sous le consulat|Grand-père/ })
    .first()
    .click();
  await page.getByText('What is known, and from where').waitFor();
});
