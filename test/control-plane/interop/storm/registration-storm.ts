/**
 * Registrations of many ids at a steady rate, measured where the old inbound processors stand: from the first
 * datagram of an id to the connection that it brings. Runs as a process of its own: it prints its result as JSON.
 * Run: node registration-storm.ts OPTIONS-AS-JSON
 */
import { spawnSync } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { LOOPBACK, sleep } from '../../peers/sockets.ts';
import { helloFrame } from '../../peers/wire.ts';
import { BlackHoles, isSwallowed } from './black-holes.ts';

const TICK_MS = 1;
const SENDERS = 16;
const LATE_LIMIT_MS = 3000;
const SWALLOW_CHECK_MS = 200;

export interface StormOptions {
  readonly registrationPort: number;
  readonly audioBasePort: number;
  /** In steps of two from 2, as ids that do not overlap are. */
  readonly ids: number;
  readonly datagrams: number;
  readonly datagramsPerSecond: number;
  /** So many of the ids, evenly spread, have addresses that answer no SYN. */
  readonly blackHoles: number;
}

export interface StormResult {
  readonly sent: number;
  readonly sendingMs: number;
  readonly reachableIds: number;
  readonly connectedIds: number;
  /** More than one connection of an id. */
  readonly extraConnections: number;
  /** From the first datagram of each id to its connection; sorted. */
  readonly connectMs: readonly number[];
}

interface Reachable {
  readonly server: Server;
  readonly callId: number;
  sentAtMs: number;
  connections: number;
  connectMs: number;
}

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const all = Array.from({ length: options.ids }, (_, index) => 2 * index + 2);
  const spread = options.ids / Math.max(1, options.blackHoles);
  const isHole = (index: number): boolean => options.blackHoles > 0 && index % spread < 1;
  const holePorts = all.filter((_, index) => isHole(index)).map((callId) => options.audioBasePort + callId);
  const holes = await BlackHoles.open(holePorts);
  const [firstHole] = holePorts;
  if (firstHole !== undefined && !(await isSwallowed(firstHole, SWALLOW_CHECK_MS))) {
    throw new Error(`port ${firstHole} answers, it is no black hole`);
  }
  const reachable = await Promise.all(
    all.filter((_, index) => !isHole(index)).map((callId) => listen(callId, options.audioBasePort + callId)),
  );
  const sendingMs = await sendAll(options, all, new Map(reachable.map((one) => [one.callId, one])));
  const giveUpAtMs = performance.now() + LATE_LIMIT_MS;
  while (reachable.some(({ connections }) => connections === 0) && performance.now() < giveUpAtMs)
    await sleep(20);
  for (const { server } of reachable) server.close();
  await holes.close();
  return resultOf(options, reachable, sendingMs);
}

async function listen(callId: number, port: number): Promise<Reachable> {
  const server = createServer();
  const one: Reachable = { server, callId, sentAtMs: 0, connections: 0, connectMs: Number.NaN };
  server.on('connection', (socket) => {
    one.connections += 1;
    if (one.connections === 1) one.connectMs = performance.now() - one.sentAtMs;
    socket
      .on('error', () => {})
      .resume()
      .write(helloFrame(callId));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host: LOOPBACK }, resolve);
  });
  return one;
}

/** @returns how long it took, ms */
async function sendAll(
  { datagrams, datagramsPerSecond, registrationPort }: StormOptions,
  ids: readonly number[],
  reachable: ReadonlyMap<number, Reachable>,
): Promise<number> {
  const senders = await Promise.all(Array.from({ length: SENDERS }, openSender));
  const startedAtMs = performance.now();
  for (let sent = 0; sent < datagrams; ) {
    const dueCount = Math.ceil(((performance.now() - startedAtMs) * datagramsPerSecond) / 1000);
    for (; sent < Math.min(dueCount, datagrams); sent++) {
      const callId = ids[sent % ids.length] ?? 0;
      const one = reachable.get(callId);
      if (one?.sentAtMs === 0) one.sentAtMs = performance.now();
      senders[sent % SENDERS]?.send(`REGISTER:${callId}`, registrationPort, LOOPBACK);
    }
    await sleep(TICK_MS);
  }
  const tookMs = performance.now() - startedAtMs;
  for (const sender of senders) sender.close();
  return tookMs;
}

async function openSender(): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  return socket;
}

function resultOf(
  { datagrams }: StormOptions,
  reachable: readonly Reachable[],
  sendingMs: number,
): StormResult {
  const connected = reachable.filter(({ connections }) => connections > 0);
  return {
    sent: datagrams,
    sendingMs: Math.round(sendingMs),
    reachableIds: reachable.length,
    connectedIds: connected.length,
    extraConnections: reachable.reduce((sum, { connections }) => sum + Math.max(0, connections - 1), 0),
    connectMs: connected.map(({ connectMs }) => Number(connectMs.toFixed(2))).sort((a, b) => a - b),
  };
}

/**
 * It is the clock that is read: where the system lets it, it runs before whatever else wants the cores, so that a
 * figure is not its own waiting. Source: sched(7), chrt(1).
 */
function askForPriority(): void {
  spawnSync('chrt', ['--rr', '--pid', '1', String(process.pid)], { stdio: 'ignore' });
}

if (process.argv[1] === import.meta.filename) {
  askForPriority();
  console.log(JSON.stringify(await runStorm(JSON.parse(process.argv[2] ?? '{}') as StormOptions)));
  process.exit(0);
}
