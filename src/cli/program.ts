/**
 * The command line: one subcommand per file, exit codes in one place. Thread: main.
 * Source: docs/cli.md.
 */
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { reportNothing } from '../config/telemetry.ts';
import { benchCommand } from './bench-command.ts';
import { callCommand } from './call-command.ts';
import { checkCommand } from './check-command.ts';
import { demoCommand } from './demo-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { EXIT_OK, EXIT_USAGE, reportError } from './exit-codes.ts';
import { gpuCommand } from './gpu-command.ts';
import { modelsCommand } from './models-command.ts';
import type { RuntimeStarter } from './runtime-starter.ts';
import { startCommand } from './start-command.ts';
import { stressCommand } from './stress-command.ts';
import { testCommand } from './test-command.ts';

/** A subcommand sets the exit code through this when its result is bad. */
export type Exit = (code: number) => void;

/**
 * Parses and runs one command line.
 * @param argv arguments after the program name
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], startRuntime: RuntimeStarter): Promise<number> {
  reportNothing();
  let exitCode = EXIT_OK;
  const exit: Exit = (code) => {
    exitCode = code;
  };
  const program = new Command('wildfire')
    .description('Answers real phone calls with local models.')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`wildfire: ${text}`) })
    .showHelpAfterError('(run ./wildfire --help for the commands)');
  const commands = [
    startCommand(startRuntime),
    demoCommand(exit),
    callCommand(exit),
    stressCommand(exit),
    doctorCommand(exit),
    checkCommand(),
    benchCommand(exit),
    modelsCommand(exit),
    gpuCommand(exit),
    testCommand(exit),
  ];
  for (const command of commands) program.addCommand(adopted(command, program));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    return reportError(error);
  }
}

/** The command with its parent's way of ending and of telling errors, and so all commands below it. */
function adopted(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) adopted(child, command);
  return command;
}
