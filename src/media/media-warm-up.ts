/**
 * Media warm-up: sends a made-up call through both paths, so that the code is compiled before the first caller.
 * Thread: media, at start. Takes about 50 ms. Nothing leaves the process: the leg has no sockets.
 */
import { createRing, createTape } from '../ring-buffers/layout.ts';
import { RingWriter } from '../ring-buffers/ring.ts';
import { dtmfPress, writeDtmfPayload } from '../rtp/dtmf.ts';
import { Packetizer } from '../rtp/packetizer.ts';
import { FRAME_SAMPLES, RATE_HZ, TICK_MS } from './frame.ts';
import { MediaLeg } from './media-leg.ts';
import type { JitterSettings, StartLeg } from './media-protocol.ts';

/** Enough for the optimising compiler to have seen every hot function often. */
const BEATS = 2000;
const EVENT_PAYLOAD_TYPE = 101;
const PEER = { address: '192.0.2.1', port: 4000 };
const START: StartLeg = {
  callId: 0,
  remote: PEER,
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: EVENT_PAYLOAD_TYPE,
  ptimeMs: TICK_MS,
  direction: 'sendrecv',
};

/** Runs the made-up call on a made-up clock. */
export function warmUpMedia(jitter: JitterSettings): void {
  let nowMs = 0;
  const open = {
    callId: 0,
    bindAddress: '',
    uplink: createTape({ rateHz: RATE_HZ, capacitySamples: 16_384 }),
    downlink: createRing({ rateHz: RATE_HZ, capacitySamples: 16_384 }),
  };
  const options = {
    mediaTimeoutMs: BEATS * TICK_MS,
    onEvent: () => {},
    nowMs: () => nowMs,
    random: Math.random,
  };
  const leg = new MediaLeg({ ...options, open, jitter });
  leg.attach({ rtpPort: 0, sendRtp: () => {}, sendRtcp: () => {}, close: () => Promise.resolve() });
  leg.start(START);
  const caller = new Packetizer({ ssrc: 1, firstSequence: 0, firstTimestamp: 0 });
  const reply = new RingWriter(open.downlink, 0);
  const speech = new Int16Array(FRAME_SAMPLES).fill(1000);
  for (let beat = 1; beat <= BEATS; beat += 1) {
    nowMs = beat * TICK_MS;
    if (beat % 100 < 50) reply.write(speech);
    if (beat % 100 === 0) press(leg, caller);
    speak(leg, caller, beat);
    leg.tick({ dueMs: nowMs, ticks: 1, sends: 1 });
  }
}

/** One packet of speech; every twentieth is lost on the way. */
function speak(leg: MediaLeg, caller: Packetizer, beat: number): void {
  const { bytes, payload } = caller.next(START.payloadType, false, FRAME_SAMPLES);
  caller.advance(FRAME_SAMPLES);
  payload.fill(beat & 0x7f);
  if (beat % 20 !== 0) leg.onRtp(bytes, PEER.address, PEER.port);
}

function press(leg: MediaLeg, caller: Packetizer): void {
  for (const content of dtmfPress('5', TICK_MS, RATE_HZ)) {
    const { bytes, payload } = caller.next(EVENT_PAYLOAD_TYPE, false, 4);
    writeDtmfPayload(content, payload, 0);
    leg.onRtp(bytes, PEER.address, PEER.port);
  }
}
