import { defineConfig } from 'vitest/config';

// One browser and one machine: the files run after one another, and nothing is tried twice.
export default defineConfig({
  test: {
    include: ['tests/browser/**/*.test.ts'],
    globalSetup: ['tests/browser/prepare.ts'],
    environment: 'node',
    fileParallelism: false,
    retry: 0,
    testTimeout: 60_000,
    hookTimeout: 120_000
  }
});
