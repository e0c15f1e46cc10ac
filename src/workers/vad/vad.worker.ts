/**
 * The VAD thread: every 20 ms, right after the media thread, it reads what the calls said and tells main where speech
 * began and ended. Thread: vad. Walk: packet step 9.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError, WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { TapeHandle } from '../../ring-buffers/layout.ts';
import { TapeReader } from '../../ring-buffers/tape.ts';
import { EnergyVadModel } from './energy-vad-model.ts';
import { TickPhase } from './tick-phase.ts';
import type { VadEvent, VadReply, VadRequest, VadSnapshot, VadThreadOptions } from './vad-messages.ts';
import type { VadModel } from './vad-model.ts';
import { VadStreams } from './vad-streams.ts';

const options = workerData as VadThreadOptions;
const port = parentPort!;
/** By sample rate: a model run takes calls of one rate. */
const lanes = new Map<number, { readonly model: VadModel; readonly streams: VadStreams }>();
let isClosing = false;
let isTicking = false;
let timer: NodeJS.Timeout | undefined;
const phase = new TickPhase(options.tickMs, monotonicMs());
const counters = { ticks: 0, maxTickLatenessMs: 0, maxTickMs: 0, niceValue: 0 };

function post(reply: VadReply): void {
  port.postMessage(reply);
}

/** @throws WildfireError MODEL_MISSING, MODEL_DAMAGED */
async function createModel(rateHz: number): Promise<VadModel> {
  if (options.model === 'energy') return new EnergyVadModel({ rateHz, maxStreams: options.maxStreams });
  // Loaded only when asked for: it brings ONNX Runtime into this thread.
  const { SileroVadModel } = await import('./silero-vad-model.ts');
  return SileroVadModel.load({ path: options.sileroPath ?? '', rateHz, maxStreams: options.maxStreams });
}

async function openLane(rateHz: number): Promise<VadStreams> {
  const found = lanes.get(rateHz);
  if (found !== undefined) return found.streams;
  const model = await createModel(rateHz);
  const { maxStreams, detector } = options;
  const streams = new VadStreams(model, { rateHz, maxStreams, detector, nowMs: monotonicMs });
  lanes.set(rateHz, { model, streams });
  return streams;
}

async function watch(callId: number, uplink: TapeHandle): Promise<void> {
  const lane = await openLane(new TapeReader(uplink).rateHz);
  if (!lane.watch(callId, uplink)) {
    throw new WildfireError('ADMISSION_REFUSED', `VAD has no room for call ${callId}`, { retryable: true });
  }
}

function unwatch(callId: number): void {
  for (const { streams } of lanes.values()) streams.unwatch(callId);
}

function snapshot(): VadSnapshot {
  const all = [...lanes.values()].map(({ streams }) => streams);
  return {
    ...counters,
    streams: all.reduce((sum, { size }) => sum + size, 0),
    frames: all.reduce((sum, { frames }) => sum + frames, 0),
    laps: all.reduce((sum, { laps }) => sum + laps, 0),
  };
}

async function tick(): Promise<void> {
  const startMs = monotonicMs();
  const events: VadEvent[] = [];
  let hasGrown = lanes.size === 0;
  for (const { streams } of lanes.values()) hasGrown = (await streams.tick(events)) || hasGrown;
  if (events.length > 0) post({ kind: 'events', events });
  counters.ticks += 1;
  counters.maxTickLatenessMs = Math.max(counters.maxTickLatenessMs, startMs - phase.dueMs);
  counters.maxTickMs = Math.max(counters.maxTickMs, monotonicMs() - startMs);
  phase.ticked(hasGrown, monotonicMs());
}

async function onTimer(): Promise<void> {
  isTicking = true;
  await tick();
  isTicking = false;
  if (isClosing) await end();
  else schedule();
}

function schedule(): void {
  timer = setTimeout(onTimer, Math.max(0, phase.dueMs - monotonicMs()));
}

async function end(): Promise<void> {
  clearTimeout(timer);
  for (const { model } of lanes.values()) await model.close();
  port.close();
}

async function answer(requestId: number, work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
    post({ kind: 'done', requestId, error: null, snapshot: snapshot() });
  } catch (error) {
    post({ kind: 'done', requestId, error: toWireError(error, 'INFERENCE_FAILED'), snapshot: null });
  }
}

async function close(): Promise<void> {
  isClosing = true;
  if (!isTicking) await end();
}

function onRequest(request: VadRequest): void {
  switch (request.kind) {
    case 'watch':
      void answer(request.requestId, () => watch(request.callId, request.uplink));
      break;
    case 'unwatch':
      void answer(request.requestId, () => unwatch(request.callId));
      break;
    case 'snapshot':
      void answer(request.requestId, () => {});
      break;
    case 'close':
      void close();
      break;
    case 'die':
      if (options.allowFaults) process.exit(1);
  }
}

/** Asks for a better place in the scheduler; without the right to it the thread runs as it is. */
function raisePriority(): void {
  try {
    setPriority(0, options.niceValue);
    counters.niceValue = options.niceValue;
  } catch {
    // EACCES or EPERM: an ordinary user may not.
  }
}

raisePriority();
// A model that cannot be loaded is found out now, not at the first call.
if (options.model === 'silero') await openLane(8000);
port.on('message', onRequest);
schedule();
post({ kind: 'ready' });
