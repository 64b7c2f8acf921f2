/// <reference types="@sveltejs/kit" />
/// <reference no-default-lib="true"/>
/// <reference lib="esnext" />
/// <reference lib="webworker" />

/**
 * Keeps what the app needs to start, so that it opens without a line and can say so. Nothing of the
 * family's is kept here: what is private lies in the browser's own cache, if anywhere, as the server said.
 */
import { version } from '$service-worker';
import { KEEP_REST } from './lib/shell/keep';
import { PAGES } from './lib/shell/pages';

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `shell-${version}`;
const SHELL = '/';
const REST = '/_app/rest.json';

worker.addEventListener('install', (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    const list = (await (
      await fetch('/_app/shell.json', { cache: 'no-cache' })
    ).json()) as string[];
    await cache.addAll([SHELL, '/before-paint.js', '/icon.svg', ...list]);
  };
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});

/** Keeps what the other pages need, one file after the other, behind whatever else is loaded. */
worker.addEventListener('message', (event) => {
  if (event.data !== KEEP_REST) return;
  const keep = async () => {
    const cache = await caches.open(CACHE);
    if (await cache.match(REST)) return;
    const answer = await fetch(REST, { cache: 'no-cache' });
    for (const file of (await answer.clone().json()) as string[]) {
      if (!(await cache.match(file))) await cache.add(new Request(file, { priority: 'low' }));
    }
    // The last of all: whoever finds it finds the others.
    await cache.put(REST, answer);
  };
  // Without a line it goes on the next time.
  event.waitUntil(keep().catch(() => {}));
});

worker.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('shell-') && name !== CACHE) await caches.delete(name);
    }
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return;
  if (request.mode === 'navigate' && PAGES.test(url.pathname)) {
    event.respondWith(fromServerFirst(request));
  } else if (url.pathname.startsWith('/_app/immutable/') || url.pathname === '/before-paint.js') {
    event.respondWith(fromCacheFirst(request));
  }
});

async function fromServerFirst(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(SHELL);
    if (kept) return kept;
    throw error;
  }
}

async function fromCacheFirst(request: Request): Promise<Response> {
  const kept = await (await caches.open(CACHE)).match(request);
  return kept ?? fetch(request);
}
