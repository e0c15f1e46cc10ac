/**
 * Composition root and process entry: hands the command line the function that builds a runtime, and turns its
 * result into the exit code. Imported by nobody. Thread: main.
 */
import { runCli } from './cli/program.ts';
import { startRuntime } from './runtime/runtime.ts';

process.exitCode = await runCli(process.argv.slice(2), startRuntime);
