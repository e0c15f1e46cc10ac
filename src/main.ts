/**
 * Composition root and process entry: hands the command line the function that builds a runtime, and turns its
 * result into the exit code. Imported by nobody. Thread: main.
 */
import { runCli } from './cli/program.ts';
import { startRuntime } from './runtime/runtime.ts';

// A reader that has seen enough (`wildfire doctor | head`) is no reason to end, least of all with calls up.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), startRuntime);
