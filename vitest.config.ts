import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: more workers than that only make the slow tests slower.
    maxWorkers: 2,
    // What engines are remembered for belongs to the user, not to a test.
    env: { SHRINKNETS_CACHE: mkdtempSync(join(tmpdir(), 'sn-cache-')) },
    setupFiles: ['./test/support/seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/countReporter.ts'],
  },
});
