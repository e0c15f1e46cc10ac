/**
 * Media and VAD of a call without sockets or threads. The media side plays the real downlink ring, one frame every
 * 20 ms of (fake) time, and tells of it as the media thread does.
 */
import type { MediaPort, VadPort } from '../../src/call/ports.ts';
import type { RtpReport } from '../../src/call/reports.ts';
import type { MediaEvent, OpenLeg, StartLeg } from '../../src/media/media-protocol.ts';
import { UplinkClock } from '../../src/media/uplink-clock.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { RingReader } from '../../src/ring-buffers/ring.ts';
import type { Gate } from './gate.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;

export const LEG_FIGURES: RtpReport = { sent: 50, received: 49, lost: 1, late: 0, underrunFrames: 0 };

export class FakeMedia implements MediaPort {
  /** Set by a test: what a request waits for; failing it fails the request. */
  openGate: Gate | null = null;
  startGate: Gate | null = null;
  closeGate: Gate | null = null;
  readonly starts: StartLeg[] = [];
  /** Every sample that went out, silence left out. */
  readonly playedSamples: number[] = [];
  onEvent: (event: MediaEvent) => void = () => {};
  readonly #legs = new Map<number, { open: OpenLeg; player: NodeJS.Timeout | null }>();

  get openLegs(): number {
    return this.#legs.size;
  }

  async openLeg(open: OpenLeg): Promise<{ rtpPort: number }> {
    await this.openGate?.promise;
    this.#legs.set(open.callId, { open, player: null });
    return { rtpPort: 20_000 };
  }

  async startLeg(start: StartLeg): Promise<void> {
    await this.startGate?.promise;
    this.starts.push(start);
    const leg = this.#legs.get(start.callId);
    if (leg === undefined || leg.player !== null) return;
    const reader = new RingReader(leg.open.downlink);
    const play = playerOf(start.callId, reader, (event) => this.onEvent(event), this.playedSamples);
    leg.player = setInterval(play, FRAME_MS);
  }

  async closeLeg(callId: number): Promise<RtpReport> {
    const leg = this.#legs.get(callId);
    if (leg === undefined) throw new Error(`call ${callId} has no leg`);
    if (leg.player !== null) clearInterval(leg.player);
    this.#legs.delete(callId);
    await this.closeGate?.promise;
    return LEG_FIGURES;
  }

  /** The thread is gone with all its legs; the next one knows none of them. */
  die(): void {
    for (const { player } of this.#legs.values()) if (player !== null) clearInterval(player);
    this.#legs.clear();
  }
}

function playerOf(
  callId: number,
  reader: RingReader,
  tell: (event: MediaEvent) => void,
  played: number[],
): () => void {
  const frame = new Int16Array(FRAME_SAMPLES);
  let isPlaying = false;
  return () => {
    const indexBefore = reader.readIndex;
    const samples = reader.read(frame);
    for (let i = 0; i < samples; i++) if (frame[i] !== 0) played.push(frame[i] ?? 0);
    const atMs = monotonicMs();
    if (samples > 0 && !isPlaying) {
      tell({
        kind: 'playoutStarted',
        callId,
        atMs,
        ringIndex: (reader.readIndex - samples) >>> 0,
        uplink: new UplinkClock().recent(),
      });
    } else if (samples === 0 && isPlaying) {
      tell({ kind: 'playoutDrained', callId, atMs, ringIndex: indexBefore });
    }
    isPlaying = samples > 0;
  };
}

export class FakeVad implements VadPort {
  runningGate: Gate | null = null;
  watchGate: Gate | null = null;
  readonly watched = new Set<number>();

  async running(): Promise<void> {
    await this.runningGate?.promise;
  }

  async watch(callId: number): Promise<void> {
    await this.watchGate?.promise;
    this.watched.add(callId);
  }

  async unwatch(callId: number): Promise<void> {
    this.watched.delete(callId);
  }
}
