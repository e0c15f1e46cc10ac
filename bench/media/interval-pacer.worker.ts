/**
 * The pacer that first comes to mind: setInterval(20) in a worker thread, one datagram per leg and tick. Sends how late
 * each packet left, counted from start + n * 20 ms, when it is told to stop.
 */
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

export interface PacerData {
  readonly legs: number;
}

export interface PacerReport {
  readonly latenessMs: readonly number[];
}

const TICK_MS = 20;
const PACKET_BYTES = 172;
const { legs } = workerData as PacerData;
const socket = createSocket('udp4');
socket.bind(0, '127.0.0.1', () => {
  const { port } = socket.address();
  const packet = new Uint8Array(PACKET_BYTES);
  const latenessMs: number[] = [];
  const startMs = performance.now();
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    for (let leg = 0; leg < legs; leg++) {
      socket.send(packet, port, '127.0.0.1');
      latenessMs.push(performance.now() - startMs - tick * TICK_MS);
    }
  }, TICK_MS);
  parentPort?.once('message', () => {
    clearInterval(timer);
    socket.close();
    parentPort?.postMessage({ latenessMs } satisfies PacerReport);
  });
});
