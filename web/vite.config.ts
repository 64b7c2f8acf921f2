import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * Writes down which files the app needs to start and to show its first page in each language, so that the
 * service worker keeps those for offline and none of the pages that nobody may ever open.
 */
function shellList(): Plugin {
  return {
    name: 'shell-list',
    generateBundle(_options, bundle) {
      const wanted = Object.values(bundle).filter(
        (file) =>
          file.type === 'chunk' &&
          (/^(entry\/|nodes\/[01]$)/.test(file.name) ||
            file.moduleIds.some((id) =>
              /\/src\/(routes\/(offline\/)?\+page\.svelte|lib\/words\/\w+\.json)$/.test(id)
            ))
      );
      if (!wanted.some((file) => file.type === 'chunk' && file.name === 'nodes/0')) return;
      const files = new Set<string>();
      const visit = (name: string) => {
        if (files.has(name)) return;
        files.add(name);
        const file = bundle[name];
        if (file?.type !== 'chunk') return;
        file.imports.forEach(visit);
        file.viteMetadata?.importedCss.forEach((css) => files.add(css));
        file.viteMetadata?.importedAssets.forEach((asset) => files.add(asset));
      };
      wanted.forEach((file) => visit(file.fileName));
      for (const name of Object.keys(bundle)) {
        if (name.endsWith('.woff2')) files.add(name);
      }
      const source = JSON.stringify([...files].sort().map((name) => `/${name}`));
      this.emitFile({ type: 'asset', fileName: '_app/shell.json', source });
    }
  };
}

/**
 * SvelteKit hides the line that tells screen readers of a new page with a style attribute, which our policy
 * does not let through. A class of ours does the same.
 */
function announcerWithoutInlineStyle(): Plugin {
  return {
    name: 'announcer-without-inline-style',
    enforce: 'pre',
    transform(code, id) {
      if (!/generated\/root\.svelte$/.test(id)) return undefined;
      const changed = code.replace(
        /(<div id="svelte-announcer"[^>]*?) style="[^"]*"/,
        '$1 class="unseen"'
      );
      if (changed === code) this.error('SvelteKit writes its announcer in another way: look at it');
      return changed;
    }
  };
}

export default defineConfig({
  plugins: [announcerWithoutInlineStyle(), sveltekit(), shellList()],
  server: { proxy: { '/api': 'http://127.0.0.1:8480' } },
  build: { target: 'es2022' },
  json: { namedExports: false },
  test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
