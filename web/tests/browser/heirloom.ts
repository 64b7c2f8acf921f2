/**
 * The real program with fresh data, and a real browser in front of it. What the browser complains about
 * in its console, refusals by the policy of the page included, fails the test that heard it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { seed } from '../../scripts/seed.mjs';

const PATIENCE_MS = 30_000;

export class Heirloom {
  address = '';
  #port = 0;
  /** The data folder. */
  readonly folder = mkdtempSync(join(tmpdir(), 'heirloom-browser-one-'));
  /** How often a test took the server away. */
  timesAway = 0;
  #server: ChildProcess | undefined;
  #isEmpty: boolean;
  #seeded: number;
  #understands: boolean;

  constructor(isEmpty = false, seeded = 0, understands = false) {
    this.#isEmpty = isEmpty;
    this.#seeded = seeded;
    this.#understands = understands;
    this.configure('scrub_rate = "0"');
  }

  /** Says what is in its configuration from its next start on. */
  configure(text: string): void {
    writeFileSync(join(this.folder, 'config.toml'), text);
  }

  /** The file that keeps these bytes, among the blobs. */
  blob(hash: string): string {
    const blobs = join(this.folder, 'blobs');
    const files = readdirSync(blobs, { recursive: true }) as string[];
    return join(
      blobs,
      files.find((file) => file.endsWith(hash.slice(4)))!
    );
  }

  async start(): Promise<void> {
    if (this.#port === 0) {
      if (!this.#isEmpty) cpSync(inject('prepared'), this.folder, { recursive: true });
      if (this.#seeded > 0) seed(this.folder, this.#seeded);
      this.#port = await freePort();
      this.address = `http://127.0.0.1:${this.#port}`;
    }
    const listen = `127.0.0.1:${this.#port}`;
    // Who does not understand has models of its own: none. Else they are those that all checkouts share.
    const { HEIRLOOM_MODELS: shared, ...rest } = process.env;
    const models =
      shared ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'heirloom/models');
    const env = this.#understands ? { ...rest, HEIRLOOM_MODELS: models } : rest;
    this.#server = spawn(inject('program'), ['serve', '--listen', listen, '--data', this.folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env
    });
    await until(async () => (await fetch(`${this.address}/readyz`)).ok);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.timesAway += 1;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.address + path);
    expect(answer.status, path).toBe(200);
    return (await answer.json()) as T;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body)
    });
    expect(answer.status, `${path}: ${answer.statusText}`).toBeLessThan(300);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** The id of the asset whose file is called so. */
  async asset(name: string): Promise<string> {
    const list = await this.get<{ items: { id: string; name: string }[] }>(
      '/api/v1/assets?limit=500'
    );
    const found = list.items.find((item) => item.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found.id;
  }
}

/** Complaints that are part of what is tested. */
const EXPECTED = [
  // A map is drawn without a graphics processor, and copied into the page.
  /GPU stall due to ReadPixels/
];

/** What pages that are open complain about when a test takes their server away. */
const AWAY =
  /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING/;

export interface Visit {
  page: Page;
  /** What the browser may complain about from now on. */
  allow: (pattern: RegExp) => void;
}

/** A server and a browser for the tests of a file. */
export function atHome({ isEmpty = false, seeded = 0, understands = false } = {}): {
  heirloom: Heirloom;
  visit: (path: string, options?: BrowserContextOptions & { settings?: object }) => Promise<Visit>;
} {
  const heirloom = new Heirloom(isEmpty, seeded, understands);
  let browser: Browser;
  let open: { close: () => Promise<void>; complaints: string[]; allowed: RegExp[] }[] = [];

  beforeAll(async () => {
    await heirloom.start();
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // The last lets the map be drawn where there is no graphics processor.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-swiftshader']
    });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await heirloom.remove();
  });
  afterEach(async () => {
    const visits = open;
    open = [];
    for (const visit of visits) await visit.close();
    const unexpected = visits.flatMap(({ complaints, allowed }) =>
      complaints.filter((text) => !allowed.some((pattern) => pattern.test(text)))
    );
    expect(unexpected).toEqual([]);
  });

  async function visit(
    path: string,
    { settings, ...options }: BrowserContextOptions & { settings?: object } = {}
  ): Promise<Visit> {
    const context = await browser.newContext({
      locale: 'en-GB',
      viewport: { width: 1280, height: 800 },
      ...options
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (settings) {
      const text = JSON.stringify(settings);
      await context.addInitScript(
        `localStorage.getItem('settings') ?? localStorage.setItem('settings', ${JSON.stringify(text)})`
      );
    }
    const page = await context.newPage();
    const timesAway = heirloom.timesAway;
    const complaints: string[] = [];
    const allowed: RegExp[] = [...EXPECTED];
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      if (heirloom.timesAway > timesAway && AWAY.test(message.text())) return;
      complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => complaints.push(`thrown: ${error.stack ?? error.message}`));
    open.push({ close: () => context.close(), complaints, allowed });
    await page.goto(heirloom.address + path);
    await page.locator('h1').first().waitFor();
    return { page, allow: (pattern) => allowed.push(pattern) };
  }
  return { heirloom, visit };
}

/** Waits until something holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > end) throw new Error('this did not come true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How far the page is wider than the window, in pixels. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
