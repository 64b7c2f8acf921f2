import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PAGES } from './pages';

it('is the list that the server has', () => {
  const source = readFileSync('../crates/heirloom-server/src/web.rs', 'utf8');
  const list = /const PAGES[^=]*= \[([^\]]*)\]/.exec(source)![1]!;
  const pages = [...list.matchAll(/"([^"]+)"/g)].map(([, page]) => page!.replace('{id}', 'one'));
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.filter((page) => !PAGES.test(page))).toEqual([]);
  expect(PAGES.test('/plain')).toBe(false);
  expect(PAGES.test('/api/v1/assets')).toBe(false);
});
