import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/**
 * The version of the app is the hash of what it is made from: the same sources give the same files,
 * and an offline copy is thrown away exactly when something changed.
 */
function version() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json'));
  for (const folder of ['src', 'static']) {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    for (const name of names.sort()) hash.update(name).update(readFileSync(name));
  }
  return hash.digest('hex').slice(0, 16);
}

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true },
  kit: {
    // A folder below `build`, which itself is kept by git so that the server can always watch it.
    adapter: adapter({
      pages: 'build/app',
      assets: 'build/app',
      fallback: 'index.html',
      precompress: true
    }),
    paths: { relative: false },
    inlineStyleThreshold: 0,
    version: { name: version() },
    // The server sends what this writes into the page as a header too, and adds `frame-ancestors`.
    csp: {
      mode: 'hash',
      directives: {
        'default-src': ['none'],
        'script-src': ['self'],
        'style-src': ['self'],
        'img-src': ['self', 'blob:', 'data:'],
        'media-src': ['self', 'blob:'],
        'font-src': ['self'],
        'connect-src': ['self'],
        'worker-src': ['self'],
        'manifest-src': ['self'],
        'form-action': ['self'],
        'base-uri': ['none']
      }
    }
  }
};
