// What a browser has to load, beside what it may be: exits 1 when something is too large.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';

const root = 'build/app';
const read = (path) => readFileSync(`${root}${path}`);
const shell = JSON.parse(read('/_app/shell.json'));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => `/${name}`);
const sum = (paths, size) => paths.reduce((all, path) => all + size(read(path)), 0);
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

// Every language lies in files of its own, what the first page says and the rest, and a browser loads one: the
// largest counts, and the rest comes when the page is there. What the first page links to is kept for
// offline as well, and is none of what it loads.
const isCatalogue = (path) => /^var \w+=JSON\.parse\(`\{"loading"/.test(read(path).toString());
const isRest = (path) =>
  /^var \w+=JSON\.parse\(`/.test(read(path).toString()) && !isCatalogue(path);
const isOther = (path) => /\/nodes\//.test(path) && !/\/nodes\/[02]\./.test(path);
const first = shell.filter((path) => path.endsWith('.js') && !isOther(path) && !isRest(path));
const catalogues = first.filter(isCatalogue).sort((a, b) => read(b).length - read(a).length);
if (catalogues.length < 2) throw new Error('the files of the languages were not found');
const scripts = first.filter((path) => !catalogues.slice(1).includes(path));
const isStyle = (path) => path.endsWith('.css');
const fonts = files.filter((path) => path.endsWith('.woff2'));

const figures = [
  ['JavaScript of the first page, gzip', sum(scripts, gzip), 60_000],
  [
    'JavaScript of the first page, Brotli',
    sum(scripts, (bytes) => brotliCompressSync(bytes).length),
    60_000
  ],
  ['styles of the first page, gzip', sum(shell.filter(isStyle), gzip), 12_000],
  ['styles of all pages together, gzip', sum(files.filter(isStyle), gzip), Infinity],
  ['fonts', sum(fonts, (bytes) => bytes.length), 90_000]
];
for (const [what, bytes, most] of figures) {
  const limit = most === Infinity ? '' : ` of ${most / 1000} kB`;
  console.log(`${what.padEnd(40)} ${(bytes / 1000).toFixed(1).padStart(6)} kB${limit}`);
}
if (figures.some(([, bytes, most]) => bytes > most)) {
  console.error('too large');
  process.exit(1);
}
