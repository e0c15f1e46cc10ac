/** `wildfire test`: the whole suite under the pinned Node. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';

export function testCommand(exit: Exit): Command {
  return new Command('test')
    .description('run the whole test suite')
    .argument('[filter...]', 'only test files whose path contains one of these')
    .action((filters: string[]) => {
      const root = fileURLToPath(new URL('../../', import.meta.url));
      const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
      const run = spawnSync(process.execPath, [vitest, 'run', ...filters], { cwd: root, stdio: 'inherit' });
      exit(run.status === 0 ? EXIT_OK : EXIT_BAD_RESULT);
    });
}
