import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin, Rolldown } from 'vite';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { isFirst } from './src/lib/words/first.ts';

type Bundle = Rolldown.OutputBundle;

/** Bytes of a file that is not kept for offline before anybody asked for it. */
const VERY_LARGE = 200_000;

/** A file with all that it rests on: scripts and styles. */
function withImports(bundle: Bundle, name: string, files = new Set<string>()): Set<string> {
  const file = bundle[name];
  if (files.has(name) || file?.type !== 'chunk') return files;
  files.add(name);
  file.imports.forEach((name) => withImports(bundle, name, files));
  file.viteMetadata?.importedCss.forEach((css) => files.add(css));
  return files;
}

/** What a pattern finds in the names of a file's sources. */
function inSources(bundle: Bundle, name: string, pattern: RegExp): string | undefined {
  const file = bundle[name];
  const sources = file?.type === 'chunk' ? file.moduleIds : [];
  return sources.map((source) => pattern.exec(source)?.[1]).find((found) => found !== undefined);
}

/**
 * Writes down which files the app needs to start and to show its first page in each language, which the service
 * worker keeps for offline at once, and which the other pages need, which it keeps when nothing else is to be done. What
 * is very large, the map, is kept by the browser alone once it was looked at.
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
      wanted.forEach((file) => withImports(bundle, file.fileName, files));
      for (const name of [...files]) {
        const file = bundle[name];
        if (file?.type === 'chunk')
          file.viteMetadata?.importedAssets.forEach((it) => files.add(it));
      }
      for (const name of Object.keys(bundle)) {
        if (name.endsWith('.woff2')) files.add(name);
      }
      const rest = Object.values(bundle).filter(
        (file) =>
          /\.(js|css)$/.test(file.fileName) &&
          !files.has(file.fileName) &&
          Buffer.byteLength(file.type === 'chunk' ? file.code : file.source) < VERY_LARGE
      );
      const lists = { shell: [...files], rest: rest.map(({ fileName }) => fileName) };
      for (const [name, files] of Object.entries(lists)) {
        const source = JSON.stringify(files.sort().map((file) => `/${file}`));
        this.emitFile({ type: 'asset', fileName: `_app/${name}.json`, source });
      }
    }
  };
}

/**
 * Writes down what the server names in the header of a page, so that browsers fetch it at once: what is large
 * on every page, the first words of a language, and what a page needs beside what its HTML names. Over a slow
 * line each file that is found only in another one costs half a second.
 */
function preloadList(): Plugin {
  return {
    name: 'preload-list',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const always = new Set<string>();
      for (const chunk of chunks) {
        if (/^(entry\/|nodes\/0$)/.test(chunk.name)) withImports(bundle, chunk.fileName, always);
      }
      if (always.size === 0) return;
      const added = (name: string) =>
        [...withImports(bundle, name)].filter((it) => !always.has(it));
      const first = chunks.filter((chunk) => chunk.name === 'first').map((chunk) => chunk.fileName);
      const pages: Record<string, string[]> = {};
      const words: Record<string, string[]> = {};
      for (const { name, fileName } of chunks) {
        if (/^nodes\/\d+$/.test(name)) {
          for (const part of withImports(bundle, fileName)) {
            const route = inSources(bundle, part, /\/src\/routes(\/(?:[^/]+\/)*)\+page\.svelte$/);
            const page = route?.replace(/(.)\/$/, '$1').replace(/\[(\w+)\]/g, '{$1}');
            if (page) pages[page] = added(fileName);
          }
        }
        const language = inSources(bundle, fileName, /\/src\/lib\/words\/(\w+)\.json\?first$/);
        if (language) words[language] = added(fileName);
      }
      const source = JSON.stringify({ first, words, pages });
      this.emitFile({ type: 'asset', fileName: '_app/preload.json', source });
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

/**
 * Lucide draws each sign from a list while the app runs, with attributes that nothing here ever gives. As a plain
 * picture a sign is smaller, and what draws lists stays out of the first page.
 */
function plainSigns(): Plugin {
  return {
    name: 'plain-signs',
    enforce: 'pre',
    transform(code, id) {
      if (!/@lucide\/svelte\/dist\/icons\/[\w-]+\.svelte$/.test(id)) return undefined;
      const icon = /const iconData = (\{.*\});/.exec(code)?.[1];
      if (!icon) return this.error('Lucide writes its signs in another way: look at it');
      const shapes = (JSON.parse(icon) as { node: [string, Record<string, string>][] }).node.map(
        ([tag, attributes]) =>
          `<${tag} ${Object.entries(attributes)
            .map(([name, value]) => `${name}="${value}"`)
            .join(' ')} />`
      );
      return `<script>let { size = 24, strokeWidth = 2 } = $props();</script>
<svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width={strokeWidth} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${shapes.join('')}</svg>`;
    }
  };
}

const FIRST_PAGE =
  /\/src\/lib\/(timeline\/TimelineGrid|shell\/Navigation|ui\/NoticeLine)\.svelte$|\/kit\/src\/runtime\/client\/(entry|client)\.js$/;

export default defineConfig({
  plugins: [
    catalogueParts(),
    announcerWithoutInlineStyle(),
    plainSigns(),
    sveltekit(),
    shellList(),
    preloadList()
  ],
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
