/**
 * Runs benches by name, one after another, each in a process of its own, and prints their rows: a table with
 * each target beside its figure, or one JSON document. `wildfire bench` is the same thing.
 * Run: npm run bench -- --list · npm run bench -- rings models/cost --json
 * Exit: 0 every target holds, 1 one is missed or a bench failed, 2 bad usage, 3 a model or port is missing.
 */
import { fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EXIT_BAD_RESULT, EXIT_OK, reportError } from '../src/cli/exit-codes.ts';
import { messageOf, WildfireError } from '../src/errors.ts';
import { benchFile, benchNames, chosenBenches, givesRows } from './bench-names.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-row.ts';
import { describeMachine } from './machine.ts';
import { summaryOf, tableOf } from './row-table.ts';

interface Finished {
  readonly name: string;
  readonly exitCode: number;
  readonly result: BenchResult | null;
}

const DEFAULT_CALLERS = 200;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error);
}

async function main(argv: string[]): Promise<number> {
  const { values, positionals: wanted } = argumentsOf(argv);
  const names = benchNames();
  if (values.list || (wanted.length === 0 && values.only === undefined)) {
    console.log(values.json ? JSON.stringify({ benches: names }, null, 2) : listOf(names));
    return EXIT_OK;
  }
  const only = values.only?.split(',').map((group) => group.trim()) ?? [];
  const chosen = chosenBenches(names, wanted.length === 0 ? ['models'] : wanted, only);
  const options: BenchOptions = {
    pack: values.pack,
    device: deviceOf(values.device),
    callers: countOf('--callers', values.callers) ?? DEFAULT_CALLERS,
    limit: countOf('--limit', values.limit),
  };
  return runAll(chosen, options, values.json);
}

function argumentsOf(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        only: { type: 'string' },
        pack: { type: 'string', default: 'embedded' },
        device: { type: 'string', default: 'cpu' },
        callers: { type: 'string' },
        limit: { type: 'string' },
      },
    });
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', messageOf(error));
  }
}

function countOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new WildfireError('USAGE_INVALID', `${option}: expected a whole number of at least 1, not "${text}"`);
}

function deviceOf(text: string): BenchOptions['device'] {
  if (text === 'cpu' || text === 'cuda') return text;
  throw new WildfireError('USAGE_INVALID', `--device: expected cpu or cuda, not "${text}"`);
}

function listOf(names: readonly string[]): string {
  const lines = names.map((name) => `  ${name}${givesRows(name) ? '' : '  (prints only)'}`);
  return `Benches (a folder, or any part of a name, will do; "rings" is ring-buffers; "all" runs every one):\n${lines.join('\n')}`;
}

async function runAll(chosen: readonly string[], options: BenchOptions, asJson: boolean): Promise<number> {
  let machine: Record<string, string | number> = describeMachine();
  const rows: BenchRow[] = [];
  const failed: Finished[] = [];
  for (const name of chosen) {
    console.error(`== ${name}`);
    const startedAtMs = performance.now();
    const finished = await run(name, options, asJson);
    console.error(`   ${name}: ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`);
    if (finished.exitCode !== EXIT_OK) failed.push(finished);
    rows.push(...(finished.result?.rows ?? []));
    machine = { ...machine, ...finished.result?.machine };
  }
  print(machine, rows, asJson);
  for (const { name, exitCode } of failed) console.error(`wildfire: bench ${name} failed (exit ${exitCode})`);
  const worst = Math.max(EXIT_OK, ...failed.map(({ exitCode }) => exitCode));
  return worst > EXIT_OK ? worst : rows.some(({ holds }) => holds === false) ? EXIT_BAD_RESULT : EXIT_OK;
}

function print(machine: object, rows: readonly BenchRow[], asJson: boolean): void {
  if (asJson) {
    console.log(JSON.stringify({ machine, results: rows }, null, 2));
  } else if (rows.length > 0) {
    const header = Object.entries(machine).map(([name, value]) => `${name} ${value}`);
    console.log([header.join(', '), '', tableOf(rows), summaryOf(rows)].join('\n').trimEnd());
  }
}

/** What a bench prints by itself must not get between the lines of the JSON document. */
function run(name: string, options: BenchOptions, asJson: boolean): Promise<Finished> {
  const stdout = asJson || givesRows(name) ? 2 : 1;
  const child = givesRows(name)
    ? fork(
        fileURLToPath(new URL('run-rows.ts', import.meta.url)),
        [benchFile(name), JSON.stringify(options)],
        {
          stdio: ['ignore', stdout, 2, 'ipc'],
          serialization: 'advanced',
        },
      )
    : spawn(process.execPath, [benchFile(name)], { stdio: ['ignore', stdout, 2] });
  let result: BenchResult | null = null;
  child.on('message', (message) => {
    result = message as unknown as BenchResult;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const isSilent = givesRows(name) && result === null;
      resolve({ name, exitCode: code ?? EXIT_BAD_RESULT, result });
      if (isSilent && code === EXIT_OK) console.error(`wildfire: bench ${name} gave no rows`);
    });
  });
}
