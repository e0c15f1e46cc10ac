/**
 * Ports on loopback for whoever has to be told which to take: a block of free ones below the system's own choice for
 * connections and for port 0 (32768 on Linux), so that no socket of ours takes a listener's port.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';
const FIRST_PORT = 10_000;
const SLOT_PORTS = 250;
/** Up to port 19,999; above are the RTP ports of a runtime with its defaults. */
const SLOTS = 40;
const ATTEMPTS = 200;
/** What was asked for before that is in use no more. */
const MAX_RESERVED = 4;
/** Markers of the blocks that this process was given last. */
const reserved: Socket[][] = [];

/**
 * Takes a whole number of slots. Their markers keep other processes that ask in the same way out of them, so that two
 * test runs on one machine do not meet.
 * @returns the first of `count` ports in a row that are free for UDP and TCP now
 */
export async function freeBlock(count: number): Promise<number> {
  const slots = Math.ceil((count + 1) / SLOT_PORTS);
  while (reserved.length >= MAX_RESERVED) for (const marker of reserved.shift() ?? []) marker.close();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = FIRST_PORT + SLOT_PORTS * randomInt(SLOTS - slots + 1);
    const markers = await reserve(first, slots);
    if (markers === null) continue;
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) {
      reserved.push(markers);
      return first;
    }
    for (const marker of markers) marker.close();
  }
  throw new Error(`no ${count} free ports in a row from ${FIRST_PORT} on`);
}

/** Binds the last UDP port of each slot. @returns null when one of them is taken */
async function reserve(first: number, slots: number): Promise<Socket[] | null> {
  const ports = Array.from({ length: slots }, (_, index) => first + (index + 1) * SLOT_PORTS - 1);
  const markers = await Promise.all(ports.map(boundUdp));
  if (!markers.includes(null)) return markers.filter((marker) => marker !== null);
  for (const marker of markers) marker?.close();
  return null;
}

async function isFree(port: number): Promise<boolean> {
  const isMarker = (port - FIRST_PORT + 1) % SLOT_PORTS === 0;
  return (await isTcpFree(port)) && (isMarker || (await isUdpFree(port)));
}

async function isTcpFree(port: number): Promise<boolean> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen({ port, host: LOOPBACK }, () => resolve(true));
  });
  if (isFree) await new Promise((resolve) => server.close(resolve));
  return isFree;
}

async function isUdpFree(port: number): Promise<boolean> {
  const socket = await boundUdp(port);
  if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()));
  return socket !== null;
}

/** A socket that keeps no process up; null when the port is taken. */
function boundUdp(port: number): Promise<Socket | null> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket
      .once('error', () => {
        socket.close();
        resolve(null);
      })
      .bind({ port, address: LOOPBACK, exclusive: true }, () => resolve(socket.unref()));
  });
}
