/**
 * The wire-audio thread: turns samples on tapes and in rings into the bytes of frames and back, so that the main
 * thread, which owns the sockets, never touches a sample. Thread: this one. Started only where a role is missing.
 */
import { parentPort } from 'node:worker_threads';
import { TapeReader, TapeWriter } from '../../ring-buffers/tape.ts';
import { DownlinkFeed } from './downlink-feed.ts';
import { RingSource } from './ring-source.ts';
import type { WireAudioReply, WireAudioRequest } from './wire-audio-messages.ts';
import { bytesOf, int16Of, resampled } from './wire-samples.ts';

/** Rate of frames of speech on the wire. */
const WIRE_RATE_HZ = 16_000;
/** How often rings that someone writes or waits for are looked at. */
const LOOK_MS = 10;

type RequestOf<Kind extends WireAudioRequest['kind']> = Extract<WireAudioRequest, { kind: Kind }>;
type Handlers = { readonly [Kind in WireAudioRequest['kind']]: (request: RequestOf<Kind>) => void };

const port = parentPort;
if (port === null) throw new Error('wire-audio.worker.ts is a thread, not a program');
const feeds = new Map<number, DownlinkFeed>();
const sources = new Map<number, RingSource>();
let timer: NodeJS.Timeout | null = null;

const handlers: Handlers = {
  encodeSpeech: ({ requestId, uplink, fromSample, toSample }) => {
    const reader = new TapeReader(uplink);
    const lengthSamples = (toSample - fromSample) >>> 0;
    const pcm = new Int16Array(Math.min(lengthSamples, reader.capacitySamples));
    const isThere = pcm.length === lengthSamples && reader.read(fromSample, pcm) === 'ok';
    if (!isThere) return post({ kind: 'encoded', requestId, bytes: null });
    const samples = resampled(pcm, reader.rateHz, WIRE_RATE_HZ);
    postMoved({ kind: 'encoded', requestId, bytes: new Uint8Array(samples.buffer) });
  },
  storeSpeech: ({ requestId, tape, bytes }) => {
    const writer = new TapeWriter(tape);
    const fromSample = writer.positionSamples;
    writer.write(int16Of(bytes));
    post({ kind: 'stored', requestId, fromSample, toSample: writer.positionSamples });
  },
  openDownlink: ({ callId, downlink }) => feeds.set(callId, new DownlinkFeed(downlink)),
  writeDownlink: ({ callId, bytes, rateHz, epoch }) => {
    try {
      feeds.get(callId)?.push(bytes, rateHz, epoch);
    } catch {
      post({ kind: 'refused', callId }); // a rate without a filter: the other calls go on
    }
    look();
  },
  finishDownlink: ({ callId, epoch }) => {
    feeds.get(callId)?.finish(epoch);
    look();
  },
  closeDownlink: ({ callId }) => feeds.delete(callId),
  openSource: ({ callId, ring, chunkSamples }) => sources.set(callId, new RingSource(ring, chunkSamples)),
  setSourceActive: ({ callId, isActive }) => {
    const source = sources.get(callId);
    if (source === undefined) return;
    source.isActive = isActive;
    look();
    if (!isActive) post({ kind: 'drained', callId });
  },
  closeSource: ({ callId }) => {
    sources.delete(callId);
    post({ kind: 'sourceClosed', callId });
  },
  close: () => {
    if (timer !== null) clearTimeout(timer);
    port.close();
  },
};

port.on('message', (request: WireAudioRequest) => {
  (handlers[request.kind] as (request: WireAudioRequest) => void)(request);
});
post({ kind: 'ready' });

/** Looks at every ring, and comes back while one of them is written or waited for. */
function look(): void {
  let isBusy = false;
  for (const [callId, feed] of feeds) {
    feed.pump();
    const progress = feed.takeProgress();
    if (progress !== null) post({ kind: 'written', callId, ...progress });
    isBusy ||= feed.isWaiting;
  }
  for (const [callId, source] of sources) {
    for (let pcm = source.take(); pcm !== null; pcm = source.take()) {
      postMoved({ kind: 'chunk', callId, bytes: bytesOf(pcm) });
    }
    isBusy ||= source.isActive;
  }
  if (isBusy) timer ??= setTimeout(onTimer, LOOK_MS);
}

function onTimer(): void {
  timer = null;
  look();
}

function post(reply: WireAudioReply): void {
  port?.postMessage(reply);
}

function postMoved(reply: Extract<WireAudioReply, { bytes: Uint8Array<ArrayBuffer> | null }>): void {
  port?.postMessage(reply, reply.bytes === null ? [] : [reply.bytes.buffer]);
}
