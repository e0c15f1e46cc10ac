/**
 * Lets the code of connections be compiled before the first REGISTER: a thousand calls that register in one second would
 * otherwise meet code that runs for the first time. Connects to a listener of its own on loopback. Thread: main.
 */
import { byeFrame, LEG_RULES, lengthPrefixed } from '../wire/frames.ts';
import type { Dial } from './dialler.ts';
import { FramedSocket, type LegHandlers } from './framed-socket.ts';
import { type LegContext, LegServer } from './leg-server.ts';

const ROUNDS = 8;
const CONNECTIONS_PER_ROUND = 24;
const LOOPBACK = '127.0.0.1';

/** Resolves when the connections have come and gone. Never throws: a cold start is no failure. */
export async function warmUpConnections(context: LegContext, dial: Dial): Promise<void> {
  try {
    const server = await LegServer.listen({
      context: { ...context, count: () => {} },
      bindAddress: LOOPBACK,
      port: 0,
      portHint: '',
      rules: LEG_RULES.transcripts,
      helloPurpose: 'hearing',
      onLeg: greet,
    });
    for (let round = 0; round < ROUNDS; round++) {
      const endpoint = { host: LOOPBACK, port: server.port };
      const all = Array.from({ length: CONNECTIONS_PER_ROUND }, () => visit(context, dial, endpoint));
      await Promise.all(all);
    }
    await server.close();
  } catch {
    // No port, or nobody may connect: the first calls will be a little slower.
  }
}

function greet(leg: FramedSocket): void {
  leg.handOver({ onFrame: () => {}, onClosed: () => {} });
  leg.send(lengthPrefixed('0'));
}

function visit(context: LegContext, dial: Dial, endpoint: Parameters<Dial>[0]): Promise<void> {
  return new Promise((resolve) => {
    dial(endpoint, {
      onFailed: () => resolve(),
      onConnected: (socket) => {
        const handlers: LegHandlers = {
          onFrame: () => leg.close(byeFrame()),
          onClosed: () => resolve(),
        };
        const leg = new FramedSocket(socket, LEG_RULES.audioIn, context.health, handlers);
      },
    });
  });
}
