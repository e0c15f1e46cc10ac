/**
 * `wildfire` with a deliberate fault: each connection of the control plane holds up the main thread until it has
 * succeeded, failed or timed out, as the listener of the earlier system did. For tests that must see that fault.
 * Run: node test/control-plane/blocking-connect/main.ts start --roles whisper …
 */
import { Worker } from 'node:worker_threads';
import { runCli } from '../../../src/cli/program.ts';
import type { Endpoint, Transport } from '../../../src/control-plane/net/transport.ts';
import { startRuntime } from '../../../src/runtime/runtime.ts';

/** The time limit that a blocking connect had. */
const BLOCKS_AT_MOST_MS = 2000;

const prober = new Worker(new URL('./probe.worker.ts', import.meta.url));
prober.unref();

/** Waits, with the whole thread, for a first connection to the address; then makes the real one. */
function blockUntilProbed(endpoint: Endpoint): void {
  const done = new Int32Array(new SharedArrayBuffer(4));
  prober.postMessage({ endpoint, done });
  Atomics.wait(done, 0, 0, BLOCKS_AT_MOST_MS);
}

function blocking(transport: Transport): Transport {
  return {
    ...transport,
    dial: (endpoint) => {
      blockUntilProbed(endpoint);
      return transport.dial(endpoint);
    },
  };
}

process.exitCode = await runCli(process.argv.slice(2), (config, options) =>
  startRuntime(config, options, { wrapTransport: blocking }),
);
