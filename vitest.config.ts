import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test that prints has an assertion missing: the output is the failure.
    onConsoleLog(log) {
      throw new Error(`console output in a test: ${log}`);
    },
  },
});
