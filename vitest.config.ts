import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Whole processes, real calls, pacing: run one file at a time and after everything else, since time is measured. */
const SYSTEM_TESTS = [
  'test/control-plane/interop/**/*.test.ts',
  'test/control-plane/peers/**/*.test.ts',
  'test/e2e/**/*.test.ts',
  'test/interop/**/*.test.ts',
  'test/runtime/**/*.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is looked for is in threads, processes and sockets, on a box that may be busy.
    expect: { poll: { timeout: 10_000 } },
    // Whatever a test starts must not write into the database of whoever runs the tests, nor report it to Microsoft.
    env: { XDG_STATE_HOME: resolve('.wildfire/test-state'), ORT_DISABLE_TELEMETRY: '1' },
    reporters: ['default', ['json', { outputFile: '.wildfire/test-report.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: SYSTEM_TESTS,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: SYSTEM_TESTS,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
