import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/vscode/*.spec.ts'],
    // One VS Code at a time, and the steps of a story in their order.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    bail: 0,
    reporters: ['default', './test/support/countReporter.ts'],
  },
});
