import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { isFirst } from './src/lib/words/first.ts';

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
              /\/src\/(routes\/(offline\/)?\+page\.svelte|lib\/words\/\w+\.json\?\w+)$/.test(id)
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

/** A catalogue of words in two parts: `en.json?first` is what the first page shows, `en.json?rest` the others. */
function catalogueParts(): Plugin {
  return {
    name: 'catalogue-parts',
    enforce: 'pre',
    load(id) {
      const [, file, part] = /^(.*\/words\/\w+\.json)\?(first|rest)$/.exec(id) ?? [];
      if (!file) return undefined;
      this.addWatchFile(file);
      const texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
      const wanted = Object.entries(texts).filter(([key]) => isFirst(key) === (part === 'first'));
      const json = JSON.stringify(JSON.stringify(Object.fromEntries(wanted)));
      return { code: `export default JSON.parse(${json})`, moduleType: 'js' };
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

const FIRST_PAGE =
  /\/src\/lib\/(timeline\/TimelineGrid|shell\/Navigation|ui\/NoticeLine)\.svelte$|\/kit\/src\/runtime\/client\/(entry|client)\.js$/;

export default defineConfig({
  plugins: [catalogueParts(), announcerWithoutInlineStyle(), sveltekit(), shellList()],
  server: { proxy: { '/api': 'http://127.0.0.1:8480' } },
  build: {
    target: 'es2022',
    rolldownOptions: {
      output: {
        // What every first visit loads is one file, with all that it rests on: thirty small ones compress worse
        // by a tenth and have to find one another over a slow line.
        codeSplitting: { groups: [{ name: 'first', test: FIRST_PAGE }] }
      }
    }
  },
  json: { namedExports: false },
  test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
