/**
 * The thread of the echo lines: one UDP socket per call, a packet each 20 ms on an absolute schedule, and a look at
 * every packet that comes back. Thread: its own (this file is its entry and is imported by nobody). Hot: the beat and
 * the datagram handlers. Closing: 'close' stops the clock and closes the port; the thread then ends by itself.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError, WildfireError } from '../../errors.ts';
import { LatenessHistogram } from '../../media/lateness-histogram.ts';
import { raiseThreadPriority } from '../../media/thread-priority.ts';
import { EchoLine } from './echo-line.ts';
import { MAX_LINES } from './echo-mark.ts';
import type { EchoLineReport, EchoMessage, EchoReplies, EchoRequest, EchoSnapshot } from './echo-protocol.ts';

const FRAME_MS = 20;
/** Lines are spread over so many beats of a frame's time, as the phones of strangers are. */
const PHASES = 4;
const PHASE_MS = FRAME_MS / PHASES;
/** A stalled thread sends at most this much at once, then skips ahead. */
const MAX_CATCH_UP_FRAMES = 10;
/** Longer than any jitter buffer holds what is on its way. */
const LINGER_MS = 400;
const RECEIVE_BUFFER_BYTES = 1 << 19;

interface OpenLine {
  readonly socket: Socket;
  readonly phase: number;
  echo: EchoLine | null;
  isSending: boolean;
  /** When frame 0 was due. */
  startMs: number;
}

const lines = new Map<number, OpenLine>();
const roundTrips = new LatenessHistogram();
const pacing = new LatenessHistogram();
const nowMs = (): number => performance.now();
const startMs = nowMs();
let sent = 0;
let beats = 0;
let timer: NodeJS.Timeout | undefined;

const priority = raiseThreadPriority((workerData as { niceHint: number }).niceHint);
parentPort!.on('message', (request: EchoRequest) => void answer(request));
schedule();

async function answer(request: EchoRequest): Promise<void> {
  const { requestId } = request;
  try {
    post({ requestId, value: await serve(request) });
  } catch (error) {
    post({ requestId, error: toWireError(error, 'INVALID_STATE') });
  }
  if (request.kind === 'close') parentPort!.close();
}

async function serve(request: EchoRequest): Promise<EchoReplies[keyof EchoReplies]> {
  switch (request.kind) {
    case 'open':
      return { rtpPort: await open(request.line, request.bindAddress) };
    case 'start':
      return start(request);
    case 'stop':
      return stop(request.line);
    case 'snapshot':
      return snapshot();
    case 'close':
      clearTimeout(timer);
      await Promise.all([...lines.keys()].map(stop));
      return null;
  }
}

async function open(number: number, bindAddress: string): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, bindAddress, resolve);
  });
  socket.removeAllListeners('error');
  socket.on('error', () => {}); // a refused datagram is the far side hanging up; the marks show it
  const line: OpenLine = { socket, phase: number % PHASES, echo: null, isSending: false, startMs: 0 };
  socket.on('message', (bytes) => line.echo?.receive(bytes, nowMs()));
  lines.set(number, line);
  return socket.address().port;
}

async function start({ line: number, remote }: Extract<EchoRequest, { kind: 'start' }>): Promise<null> {
  const line = lineOf(number);
  const { address, port, payloadType } = remote;
  await connect(line.socket, port, address);
  line.echo = new EchoLine({ line: number % MAX_LINES, payloadType, ssrc: randomInt(2 ** 32), roundTrips });
  line.startMs = nextBeatMs(line.phase);
  line.isSending = true;
  return null;
}

/** Only a connected socket sends: without an address `send` throws. @throws WildfireError SIP_TRANSPORT */
function connect(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // The callback runs in either case, as the types do not say: with what went wrong, or with nothing.
    socket.connect(port, address, (error?: Error) => {
      if (error === undefined) resolve();
      else reject(new WildfireError('SIP_TRANSPORT', `no audio can be sent to ${address}: ${error.message}`));
    });
  });
}

async function stop(number: number): Promise<EchoLineReport> {
  const line = lineOf(number);
  line.isSending = false;
  await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
  lines.delete(number);
  await new Promise<void>((resolve) => line.socket.close(resolve));
  const echo = line.echo ?? new EchoLine({ line: number, payloadType: 0, ssrc: 0, roundTrips });
  return echo.report();
}

function snapshot(): EchoSnapshot {
  const roundTripMs = { ...roundTrips.summary(), p95: roundTrips.quantile(0.95) };
  const roundTripCounts = roundTrips.counts();
  return { sent, roundTripMs, roundTripCounts, pacingMs: pacing.summary(), priority };
}

function lineOf(number: number): OpenLine {
  const line = lines.get(number);
  if (line === undefined) throw new WildfireError('INVALID_STATE', `there is no echo line ${number}`);
  return line;
}

// ---- the beat -----------------------------------------------------------------------------------------------

function schedule(): void {
  const dueMs = startMs + beats * PHASE_MS;
  timer = setTimeout(beat, Math.max(0, Math.floor(dueMs - nowMs())));
}

function beat(): void {
  const now = nowMs();
  const due = Math.floor((now - startMs) / PHASE_MS) + 1;
  const from = Math.max(beats, due - PHASES);
  for (let number = from; number < due; number += 1) sendPhase(number % PHASES, now);
  beats = Math.max(beats, due);
  schedule();
}

function sendPhase(phase: number, now: number): void {
  for (const line of lines.values()) if (line.phase === phase && line.isSending) sendDue(line, now);
}

function sendDue(line: OpenLine, now: number): void {
  const echo = line.echo!;
  const dueFrames = Math.floor((now - line.startMs) / FRAME_MS) + 1 - echo.framesSent;
  line.startMs += Math.max(0, dueFrames - MAX_CATCH_UP_FRAMES) * FRAME_MS;
  for (let frame = 0; frame < Math.min(dueFrames, MAX_CATCH_UP_FRAMES); frame += 1) {
    pacing.add(now - (line.startMs + echo.framesSent * FRAME_MS));
    send(line.socket, echo, now);
  }
}

/** @throws never: what one socket does not take must not stop the beat of all lines */
function send(socket: Socket, echo: EchoLine, now: number): void {
  sent += 1;
  try {
    socket.send(echo.next(now), echo.onSent);
  } catch (error) {
    echo.onSent(error as Error);
  }
}

/** The next beat of a phase that is still to come. */
function nextBeatMs(phase: number): number {
  const ahead = (phase - (beats % PHASES) + PHASES) % PHASES;
  return startMs + (beats + ahead) * PHASE_MS;
}

function post(message: EchoMessage): void {
  parentPort!.postMessage(message);
}
