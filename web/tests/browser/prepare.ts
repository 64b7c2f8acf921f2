/** Before all tests: the sample library, catalogued and prepared once by the real program. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    program: string;
    prepared: string;
  }
}

export default function setup(project: TestProject): () => void {
  const program = process.env.HEIRLOOM_PROGRAM ?? resolve('../target/debug/heirloom');
  if (!existsSync(program)) throw new Error(`there is no program ${program}: build it first`);
  if (!existsSync('build/app/index.html')) throw new Error('the app is not built: npm run build');
  // Whoever works on the tests prepares a data folder once.
  const ready = process.env.HEIRLOOM_PREPARED;
  if (ready) {
    project.provide('program', program);
    project.provide('prepared', ready);
    return () => {};
  }
  const folder = mkdtempSync(join(tmpdir(), 'heirloom-browser-'));
  const prepared = join(folder, 'data');
  const sample = resolve('../testdata/sample');
  try {
    execFileSync(program, ['scan', sample, '--name', 'Sample library', '--data', prepared], {
      stdio: ['ignore', 'ignore', 'inherit']
    });
  } catch (error) {
    // 1 says that something of it failed, and everything else is there.
    if ((error as { status?: number }).status !== 1) throw error;
  }
  project.provide('program', program);
  project.provide('prepared', prepared);
  return () => rmSync(folder, { recursive: true, force: true });
}
