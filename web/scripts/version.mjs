/**
 * The version of the app is the hash of what it is made from: the same sources give the same files, and an
 * offline copy is thrown away exactly when something changed. Run by itself, this says by its exit code
 * whether what is built is of this version.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export function version() {
  const hash = createHash('sha256');
  const add = (name) =>
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(root + name));
  ['package-lock.json', 'svelte.config.js', 'vite.config.ts'].forEach(add);
  for (const folder of ['src', 'static']) {
    const entries = readdirSync(root + folder, { recursive: true, withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    names.sort().forEach((name) => add(name.slice(root.length)));
  }
  return hash.digest('hex').slice(0, 16);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = `${root}build/app/_app/version.json`;
  const isBuilt =
    existsSync(built) && JSON.parse(readFileSync(built, 'utf8')).version === version();
  process.exit(isBuilt ? 0 : 1);
}
