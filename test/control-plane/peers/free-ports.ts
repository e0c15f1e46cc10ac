/**
 * Ports for a whole old system on loopback: a block of free ones below the system's own choice for connections
 * (32768 on Linux), so that no connection of ours takes a listener's port.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { LOOPBACK } from './sockets.ts';

const FIRST_PORT = 10_000;
const LAST_PORT = 19_999;
const ATTEMPTS = 50;
/** The two registrations and the two text legs. */
const SERVICE_PORTS = 4;

/** Where an old system lives. `audioOutBasePort` is one above `audioInBasePort`, as 9002 is above 9001. */
export interface OldPorts {
  readonly audioInRegistrationPort: number;
  readonly audioOutRegistrationPort: number;
  readonly llamaPort: number;
  readonly ttsPort: number;
  /** The lowest id is 1: its ports are the first after the service ports. */
  readonly audioInBasePort: number;
  readonly audioOutBasePort: number;
}

/** @param maxCallId ids go from 1 to this */
export async function freeOldPorts(maxCallId: number): Promise<OldPorts> {
  const first = await freeBlock(SERVICE_PORTS + maxCallId + 2);
  const audioInBasePort = first + SERVICE_PORTS - 1;
  return {
    audioInRegistrationPort: first,
    audioOutRegistrationPort: first + 1,
    llamaPort: first + 2,
    ttsPort: first + 3,
    audioInBasePort,
    audioOutBasePort: audioInBasePort + 1,
  };
}

/** @returns the first of `count` ports in a row that are free for UDP and TCP now */
async function freeBlock(count: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = randomInt(FIRST_PORT, LAST_PORT - count);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} free ports in a row between ${FIRST_PORT} and ${LAST_PORT}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isTcpFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen({ port, host: LOOPBACK }, () => resolve(true));
  });
  if (isTcpFree) await new Promise((resolve) => server.close(resolve));
  const socket = createSocket('udp4');
  const isUdpFree = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false)).bind(port, LOOPBACK, () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return isTcpFree && isUdpFree;
}
