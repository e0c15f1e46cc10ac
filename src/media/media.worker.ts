/**
 * The media thread: owns every RTP socket and the 20 ms clock. Takes requests from MediaClient, answers each once.
 * Thread: media (this file is its entry and is imported by nobody). Hot: the beat and the datagram handlers.
 * Closing: 'shutDown' closes all legs and the port; the thread then ends by itself.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError, WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import { openRtpSockets } from '../rtp/rtp-socket.ts';
import { IdleCollector } from '../workers/idle-collector.ts';
import { LatenessHistogram } from './lateness-histogram.ts';
import { LegMemoryStore } from './leg-memory.ts';
import { MediaLeg } from './media-leg.ts';
import {
  DROP_REASONS,
  type DropCounters,
  type LegReport,
  type MediaEvent,
  type MediaMessage,
  type MediaRequest,
  type MediaSnapshot,
  type MediaWorkerData,
  type OpenLeg,
} from './media-protocol.ts';
import { warmUpMedia } from './media-warm-up.ts';
import { type Beat, PlayoutClock } from './playout-clock.ts';
import { RecentLateness } from './recent-lateness.ts';
import { raiseThreadPriority } from './thread-priority.ts';

const BEATS_PER_S = 50;
/**
 * Callers begin to send when they are answered, which is when the first leg starts: a beat that is due then, or a little
 * later, holds each of their packets for a whole tick. Those of later calls come whenever they come.
 */
const FIRST_BEAT_MS = 6;
/** An RTP and an RTCP socket. */
const SOCKETS_PER_LEG = 2;
/** With more, V8's own collections come soon enough, and packets of all of them would wait. */
const MOST_LEGS_AT_COLLECTION = 16;

const settings = workerData as MediaWorkerData;
const legs = new Map<number, MediaLeg>();
/** Calls whose sockets are being bound. */
const opening = new Set<number>();
const spareMemory = new LegMemoryStore();
let isShuttingDown = false;
/** Of legs that are gone. */
const closedLateness = new LatenessHistogram();
const closedDrops = emptyCounters();
const recent = new RecentLateness();
const collector = new IdleCollector();
let beats = 0;
let openSockets = 0;
let clock: PlayoutClock | null = null;
const ticks = { run: 0, caughtUp: 0, skipped: 0 };

// performance.now() makes no garbage where hrtime.bigint() does; both are CLOCK_MONOTONIC with another origin.
const originMs = monotonicMs() - performance.now();
const nowMs = (): number => performance.now() + originMs;

warmUpMedia(settings.jitter);
const priority = raiseThreadPriority(settings.niceHint);
parentPort!.on('message', (request: MediaRequest) => void answer(request));
post({ kind: 'ready' });

async function answer(request: MediaRequest): Promise<void> {
  const { requestId } = request;
  try {
    post({ kind: 'reply', requestId, value: await serve(request) });
  } catch (error) {
    post({ kind: 'failed', requestId, error: toWireError(error, 'INVALID_STATE') });
  }
  if (request.kind === 'shutDown') parentPort!.close();
}

async function serve(request: MediaRequest): Promise<LegReport | MediaSnapshot | null> {
  switch (request.kind) {
    case 'openLeg':
      return openLeg(request.open, request.rtpPort);
    case 'startLeg':
      legOf(request.start.callId).start(request.start);
      clock ??= new PlayoutClock({ nowMs, onBeat: runBeat, firstBeatMs: FIRST_BEAT_MS });
      return null;
    case 'closeLeg':
      return closeLeg(request.callId);
    case 'snapshot':
      return snapshot();
    case 'shutDown':
      isShuttingDown = true;
      await Promise.all([...legs.keys()].map(closeLeg));
      return null;
    case 'fault':
      return fail();
  }
}

async function openLeg(open: OpenLeg, rtpPort: number): Promise<null> {
  const { callId } = open;
  if (legs.has(callId) || opening.has(callId)) {
    throw new WildfireError('INVALID_STATE', `call ${callId} already has a leg`);
  }
  opening.add(callId);
  try {
    await bindLeg(open, rtpPort);
  } finally {
    opening.delete(callId);
  }
  if (isShuttingDown) await closeLeg(callId); // it was bound after the others had been closed
  return null;
}

async function bindLeg(open: OpenLeg, rtpPort: number): Promise<void> {
  const { jitter, mediaTimeoutMs } = settings;
  const onEvent = (event: MediaEvent): void => post({ kind: 'event', event });
  const memory = spareMemory.take();
  const shared = { jitter, mediaTimeoutMs, onEvent, nowMs, random: Math.random, recent };
  const leg = new MediaLeg({ open, memory, ...shared });
  const handlers = { onRtp: leg.onRtp, onRtcp: leg.onRtcp, onError: leg.onSocketError };
  leg.attach(await openRtpSockets(open.bindAddress, rtpPort, handlers));
  openSockets += SOCKETS_PER_LEG;
  legs.set(open.callId, leg);
}

async function closeLeg(callId: number): Promise<LegReport> {
  const leg = legOf(callId);
  legs.delete(callId);
  if (legs.size === 0) stopClock();
  const report = await leg.close();
  openSockets -= SOCKETS_PER_LEG;
  closedLateness.merge(leg.lateness);
  addCounters(closedDrops, leg.uplink.drops);
  spareMemory.giveBack(leg.memory);
  return report;
}

function legOf(callId: number): MediaLeg {
  const leg = legs.get(callId);
  if (leg === undefined) throw new WildfireError('INVALID_STATE', `call ${callId} has no leg`);
  return leg;
}

function runBeat(beat: Beat): void {
  for (const leg of legs.values()) if (leg.isStarted) leg.tick(beat);
  beats += 1;
  if (beats % BEATS_PER_S !== 0) return;
  recent.rotate();
  // Until the next beat nothing is due.
  if (legs.size <= MOST_LEGS_AT_COLLECTION) collector.quiet();
}

function stopClock(): void {
  if (clock === null) return;
  clock.stop();
  countTicks(clock);
  clock = null;
}

function countTicks(stopped: PlayoutClock): void {
  ticks.run += stopped.schedule.ticksRun;
  ticks.caughtUp += stopped.schedule.ticksCaughtUp;
  ticks.skipped += stopped.schedule.ticksSkipped;
}

function snapshot(): MediaSnapshot {
  const lateness = new LatenessHistogram();
  const counters = emptyCounters();
  lateness.merge(closedLateness);
  addCounters(counters, closedDrops);
  for (const leg of legs.values()) {
    lateness.merge(leg.lateness);
    addCounters(counters, leg.uplink.drops);
  }
  return {
    legs: legs.size,
    openSockets,
    sendLatenessMs: lateness.summary(),
    recentSendLatenessMs: recent.summary(),
    counters,
    ticks: {
      run: ticks.run + (clock?.schedule.ticksRun ?? 0),
      caughtUp: ticks.caughtUp + (clock?.schedule.ticksCaughtUp ?? 0),
      skipped: ticks.skipped + (clock?.schedule.ticksSkipped ?? 0),
    },
    priority,
  };
}

function fail(): null {
  if (!settings.allowFaults) throw new WildfireError('INVALID_STATE', 'faults are not allowed');
  setImmediate(() => {
    throw new Error('fault asked for by a test');
  });
  return null;
}

function emptyCounters(): DropCounters {
  return Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as DropCounters;
}

function addCounters(sum: DropCounters, more: DropCounters): void {
  for (const reason of DROP_REASONS) sum[reason] += more[reason];
}

function post(message: MediaMessage): void {
  parentPort!.postMessage(message);
}
