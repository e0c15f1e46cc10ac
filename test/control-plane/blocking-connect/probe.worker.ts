/** Connects once for each message and says when it is over, so that another thread can wait for it with all it has. */
import { connect } from 'node:net';
import { parentPort } from 'node:worker_threads';
import type { Endpoint } from '../../../src/control-plane/net/transport.ts';

interface Probe {
  readonly endpoint: Endpoint;
  /** Word 0 becomes 1. */
  readonly done: Int32Array<SharedArrayBuffer>;
}

parentPort?.on('message', ({ endpoint, done }: Probe) => {
  const socket = connect(endpoint);
  const finish = (): void => {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
    socket.destroy();
  };
  socket.once('connect', finish).once('error', finish);
  setTimeout(() => socket.destroy(), 2000).unref();
});
