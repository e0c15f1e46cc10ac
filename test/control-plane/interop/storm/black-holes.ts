/** Addresses on loopback that answer no SYN, without any privilege: listeners whose backlog is full. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { LOOPBACK } from '../../peers/sockets.ts';

/** A backlog of 1 holds two connections on Linux. */
const FILLERS = 2;

export class BlackHoles {
  readonly #worker: Worker;
  readonly #hold: Int32Array;
  readonly #fillers: Socket[];

  private constructor(worker: Worker, hold: Int32Array, fillers: Socket[]) {
    this.#worker = worker;
    this.#hold = hold;
    this.#fillers = fillers;
  }

  /** @throws when a port answers although its backlog should be full */
  static async open(ports: readonly number[]): Promise<BlackHoles> {
    const hold = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('black-holes.worker.ts', import.meta.url), {
      workerData: { ports, hold },
    });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const fillers = await Promise.all(
      ports.flatMap((port) => Array.from({ length: FILLERS }, () => filler(port))),
    );
    return new BlackHoles(worker, hold, fillers);
  }

  async close(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    Atomics.store(this.#hold, 0, 1);
    Atomics.notify(this.#hold, 0);
    await this.#worker.terminate();
  }
}

/** Whether a connect gets no answer at all in `limitMs`. */
export function isSwallowed(port: number, limitMs: number): Promise<boolean> {
  const socket = connect({ port, host: LOOPBACK });
  return new Promise((resolve) => {
    const finish = (isSwallowing: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isSwallowing);
    };
    const timer = setTimeout(() => finish(true), limitMs);
    socket.once('connect', () => finish(false)).once('error', () => finish(false));
  });
}

function filler(port: number): Promise<Socket> {
  const socket = connect({ port, host: LOOPBACK });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).on('error', reject);
  });
}
