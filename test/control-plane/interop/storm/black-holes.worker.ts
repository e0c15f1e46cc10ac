/**
 * Ports that swallow connects: they listen with the smallest backlog, and this thread stops before it accepts
 * anybody, so that once the backlog is full the kernel answers no SYN. A thread of its own, until it is ended.
 */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { ports, hold } = workerData as { ports: readonly number[]; hold: Int32Array };
for (const port of ports) {
  await new Promise<void>((resolve, reject) => {
    createServer().once('error', reject).listen({ port, host: '127.0.0.1', backlog: 1 }, resolve);
  });
}
parentPort?.postMessage('listening');
// The message has left when a turn of the loop is over.
setImmediate(() => Atomics.wait(hold, 0, 0));
