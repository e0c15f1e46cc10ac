/**
 * `wildfire bench`: the benches of bench/, in a process of their own that never shares a thread or a heap with this
 * one. bench/main.ts does the work; this file says which options there are.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { wholeNumber } from './config-options.ts';
import { EXIT_BAD_RESULT } from './exit-codes.ts';
import type { Exit } from './program.ts';

interface BenchCommandOptions {
  readonly list?: boolean;
  readonly json?: boolean;
  readonly only?: string;
  readonly pack?: string;
  readonly device?: string;
  readonly callers?: number;
  readonly limit?: number;
}

const BENCH_MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

export function benchCommand(exit: Exit): Command {
  return new Command('bench')
    .description('measure a stage, or the models of a pack, with baseline and target beside each figure')
    .argument('[name...]', 'benches whose name contains one of these; none: the list')
    .option('--list', 'print the names of the benches')
    .option('--only <groups>', 'only these parts of a folder of benches, such as recogniser,cost')
    .option('--pack <pack>', 'model pack to measure (default: embedded)')
    .addOption(new Option('--device <name>', 'where Whisper runs (default: cpu)').choices(['cpu', 'cuda']))
    .option('--callers <n>', 'how many callers models/callers lets call', wholeNumber(1))
    .option('--limit <n>', 'at most so many rounds, or items of each evaluation set', wholeNumber(1))
    .option('--json', 'print one JSON document')
    .action((names: string[], options: BenchCommandOptions) => {
      const run = spawnSync(process.execPath, [BENCH_MAIN, ...names, ...argumentsOf(options)], {
        stdio: 'inherit',
      });
      exit(run.status ?? EXIT_BAD_RESULT);
    });
}

function argumentsOf({ list, json, ...valued }: BenchCommandOptions): string[] {
  const flags = [list === true ? '--list' : '', json === true ? '--json' : ''].filter((flag) => flag !== '');
  const values = Object.entries(valued).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [...flags, ...values];
}
