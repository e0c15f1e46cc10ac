/** `wildfire check`: validates a configuration and prints the effective one, secrets masked. */
import { Command } from 'commander';
import { maskSecrets, printConfig } from '../config/print.ts';
import { type ConfigOptions, configOf, withConfigOptions } from './config-options.ts';

export function checkCommand(): Command {
  return withConfigOptions(new Command('check'))
    .description('validate a configuration and print the effective one')
    .option('--json', 'print one JSON document')
    .action((options: ConfigOptions & { json?: boolean }) => {
      const config = configOf(options);
      console.log(
        options.json === true ? JSON.stringify(maskSecrets(config), null, 2) : printConfig(config).trimEnd(),
      );
    });
}
