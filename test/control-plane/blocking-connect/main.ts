/**
 * `wildfire` with a deliberate fault: each connection of the control plane holds up the main thread until it stands, has
 * failed or has timed out, as the listener of the earlier system did. For tests that must see that fault. Linux only:
 * whether a connection is still being made is read in /proc/net/tcp.
 * Run: node test/control-plane/blocking-connect/main.ts start --roles whisper …
 */
import { readFileSync } from 'node:fs';
import { runCli } from '../../../src/cli/program.ts';
import type { Transport } from '../../../src/control-plane/net/transport.ts';
import { monotonicMs } from '../../../src/observability/clock.ts';
import { startRuntime } from '../../../src/runtime/runtime.ts';

/** The time limit that a blocking connect had. */
const BLOCKS_AT_MOST_MS = 2000;
const LOOK_MS = 1;
/** proc(5), tcp_states.h */
const SYN_SENT = '02';

const never = new Int32Array(new SharedArrayBuffer(4));

function isConnecting(port: number): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .some((line) => {
      const [, , remote = '', state] = line.trim().split(/\s+/);
      return state === SYN_SENT && remote.endsWith(`:${hexPort}`);
    });
}

/** Waits with the whole thread. */
function blockWhileConnecting(port: number): void {
  const untilMs = monotonicMs() + BLOCKS_AT_MOST_MS;
  while (isConnecting(port) && monotonicMs() < untilMs) Atomics.wait(never, 0, 0, LOOK_MS);
}

function blocking(transport: Transport): Transport {
  return {
    ...transport,
    dial: (endpoint) => {
      const dialled = transport.dial(endpoint);
      // Node begins the connection itself at the next tick; ours comes behind it.
      process.nextTick(() => blockWhileConnecting(endpoint.port));
      return dialled;
    },
  };
}

process.exitCode = await runCli(process.argv.slice(2), (config, options) =>
  startRuntime(config, options, { wrapTransport: blocking }),
);
