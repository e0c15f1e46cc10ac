/** `wildfire stress compare A B`: two results of `stress` side by side. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { messageOf, WildfireError } from '../../errors.ts';
import { compareReports } from '../../stress/comparison.ts';
import { renderComparisonPage } from '../../stress/page/comparison-page.ts';
import { parseReport } from '../../stress/read-report.ts';
import type { StressReport } from '../../stress/stress-report.ts';
import { prepareFolder, writeFiles } from '../output-folder.ts';
import { printComparison } from './stress-printer.ts';

interface CompareOptions {
  readonly out?: string;
  readonly json?: boolean;
}

export function stressCompareCommand(): Command {
  return new Command('compare')
    .description('put two results of stress side by side')
    .argument('<a>', 'stress.json of the first run, or its folder')
    .argument('<b>', 'stress.json of the second run, or its folder')
    .option('--out <dir>', 'write the page of the comparison')
    .option('--json', 'print one JSON document')
    .action((a: string, b: string, _options: CompareOptions, command: Command) =>
      run([a, b], command.optsWithGlobals<CompareOptions>()),
    );
}

function run(files: readonly [string, string], options: CompareOptions): void {
  const [a, b] = [readReport(files[0]), readReport(files[1])];
  if (options.out !== undefined) prepareFolder(options.out);
  const figures = compareReports(a, b);
  if (options.json === true) console.log(JSON.stringify({ a: files[0], b: files[1], figures }, null, 2));
  else printComparison(figures);
  if (options.out !== undefined)
    writeFiles(options.out, { 'index.html': renderComparisonPage({ a, b, files, figures }) });
}

function readReport(path: string): StressReport {
  const file = path.endsWith('.json') ? path : join(path, 'stress.json');
  try {
    return parseReport(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? `not a whole result of "wildfire stress":\n${z.prettifyError(error)}`
        : messageOf(error);
    throw new WildfireError('USAGE_INVALID', `${file}: ${why}`, { cause: error });
  }
}
