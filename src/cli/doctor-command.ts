/**
 * `wildfire doctor`: what this box has and what to do about each problem. Looks only; changes nothing.
 */
import { Command } from 'commander';
import { inspectBox } from './box-inspection.ts';
import { type ConfigOptions, configOf, withConfigOptions } from './config-options.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Finding } from './finding.ts';
import type { Exit } from './program.ts';

const MARKS: Record<Finding['verdict'], string> = { ok: 'ok  ', note: 'note', problem: 'PROBLEM' };

export function doctorCommand(exit: Exit): Command {
  return withConfigOptions(new Command('doctor'))
    .description('show what this box has, and what to do about each problem')
    .option('--json', 'print one JSON document')
    .action(async (options: ConfigOptions & { json?: boolean }) => {
      const findings = await inspectBox(configOf(options));
      const ok = findings.every(({ verdict }) => verdict !== 'problem');
      if (options.json === true) console.log(JSON.stringify({ ok, findings }, null, 2));
      else for (const finding of findings) print(finding);
      exit(ok ? EXIT_OK : EXIT_BAD_RESULT);
    });
}

function print({ name, value, verdict, advice }: Finding): void {
  console.log(`${MARKS[verdict].padEnd(8)}${name.padEnd(32)}${value}`);
  if (advice !== '') console.log(`${''.padEnd(40)}${advice}`);
}
