import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { version } from './scripts/version.mjs';

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
