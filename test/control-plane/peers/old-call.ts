/**
 * One call of the old system as its two audio processors see it, with everything that has to hold about it: what the
 * caller's tones must come back as after Whisper, LLaMA and TTS have done what `script.ts` says.
 */

import type { OldPorts } from './free-ports.ts';
import { OldInbound } from './old-inbound.ts';
import { OldOutbound } from './old-outbound.ts';
import { chunksOf, type TtsFlavour } from './old-tts.ts';
import { replyTo, tone, transcriptOf } from './script.ts';
import { sleep } from './sockets.ts';
import { AUDIO_IN_RATE_HZ } from './wire.ts';

const POLL_MS = 5;

export interface Utterance {
  readonly frequencyHz: number;
  readonly lengthSamples: number;
}

export function samplesOf({ frequencyHz, lengthSamples }: Utterance): Float32Array {
  return tone(frequencyHz, lengthSamples, AUDIO_IN_RATE_HZ);
}

export class OldCall {
  readonly callId: number;
  readonly inbound: OldInbound;
  readonly outbound: OldOutbound;

  private constructor(callId: number, inbound: OldInbound, outbound: OldOutbound) {
    this.callId = callId;
    this.inbound = inbound;
    this.outbound = outbound;
  }

  /** Both processors listen and register. @throws EADDRINUSE for ids that overlap */
  static async activate(callId: number, ports: OldPorts): Promise<OldCall> {
    const inbound = await OldInbound.activate({
      callId,
      audioBasePort: ports.audioInBasePort,
      registrationPort: ports.audioInRegistrationPort,
    });
    try {
      const outbound = await OldOutbound.activate({
        callId,
        audioBasePort: ports.audioOutBasePort,
        registrationPort: ports.audioOutRegistrationPort,
      });
      return new OldCall(callId, inbound, outbound);
    } catch (error) {
      await inbound.deactivate();
      throw error;
    }
  }

  /** Resolves when so many samples have come out. @throws after `limitMs` */
  async heard(sampleCount: number, limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    const count = (): number =>
      this.outbound.chunks.reduce((sum, { samples }) => sum + (samples?.length ?? 0), 0);
    while (count() < sampleCount) {
      if (performance.now() > endMs) {
        throw new Error(`call ${this.callId}: ${count()} of ${sampleCount} samples after ${limitMs} ms`);
      }
      await sleep(POLL_MS);
    }
  }

  async deactivate(): Promise<void> {
    await this.inbound.deactivate();
    await this.outbound.deactivate();
  }
}

/** The chunks that have to come out when an old system was told `utterances` in one call. */
export function expectedChunks(utterances: readonly Utterance[], flavour: TtsFlavour): Float32Array[] {
  return utterances.flatMap((utterance, index) => {
    const text = transcriptOf(samplesOf(utterance), AUDIO_IN_RATE_HZ);
    return chunksOf(replyTo(text, index + 1), flavour);
  });
}

export function lengthOf(chunks: readonly Float32Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
