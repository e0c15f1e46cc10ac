/**
 * The heap of another Node process after a full garbage collection, over its inspector: resident memory swings with
 * what the collector has not bothered to give back, this does not. Source: the Chrome DevTools protocol.
 */
import { LOOPBACK } from '../peers/sockets.ts';

const BYTES_PER_MIB = 1024 * 1024;

/** Arguments that let a process be asked, without a word on stderr. */
export function inspectable(port: number): string[] {
  return [`--inspect=${LOOPBACK}:${port}`, '--inspect-publish-uid=http'];
}

/** @returns MiB in use by the main thread of the process that was started with `inspectable(port)` */
export async function collectedHeapMiB(port: number): Promise<number> {
  const response = await fetch(`http://${LOOPBACK}:${port}/json/list`, { headers: { connection: 'close' } });
  const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  try {
    await ask(socket, 1, 'HeapProfiler.collectGarbage');
    const { usedSize } = await ask(socket, 2, 'Runtime.getHeapUsage');
    return (usedSize ?? Number.NaN) / BYTES_PER_MIB;
  } finally {
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    socket.close();
    await closed;
  }
}

interface Answer {
  readonly id: number;
  readonly result: { readonly usedSize?: number };
}

function ask(socket: WebSocket, id: number, method: string): Promise<Answer['result']> {
  return new Promise((resolve) => {
    const onMessage = ({ data }: MessageEvent): void => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== id) return;
      socket.removeEventListener('message', onMessage);
      resolve(answer.result);
    };
    socket.addEventListener('message', onMessage);
    socket.send(JSON.stringify({ id, method }));
  });
}
