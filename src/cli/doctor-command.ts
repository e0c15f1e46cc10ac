/**
 * `wildfire doctor`: what this box has and what to do about each problem. Looks only; changes nothing.
 */
import { Command } from 'commander';
import { type ConfigOptions, configOf, withConfigOptions } from './config-options.ts';
import { inspectBox } from './doctor/box-inspection.ts';
import type { Finding } from './doctor/finding.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';

const MARKS: Record<Finding['verdict'], string> = { ok: 'ok  ', note: 'note', problem: 'PROBLEM' };
const MARK_WIDTH = 8;

export function doctorCommand(exit: Exit): Command {
  return withConfigOptions(new Command('doctor'))
    .description('show what this box has, and what to do about each problem')
    .option('--json', 'print one JSON document')
    .action(async (options: ConfigOptions & { json?: boolean }) => {
      const findings = await inspectBox(configOf(options));
      const ok = findings.every(({ verdict }) => verdict !== 'problem');
      if (options.json === true) console.log(JSON.stringify({ ok, findings }, null, 2));
      else print(findings);
      exit(ok ? EXIT_OK : EXIT_BAD_RESULT);
    });
}

function print(findings: readonly Finding[]): void {
  const nameWidth = Math.max(...findings.map(({ name }) => name.length)) + 2;
  for (const { name, value, verdict, advice } of findings) {
    console.log(`${MARKS[verdict].padEnd(MARK_WIDTH)}${name.padEnd(nameWidth)}${value}`);
    if (advice !== '') console.log(`${''.padEnd(MARK_WIDTH + nameWidth)}${advice}`);
  }
}
