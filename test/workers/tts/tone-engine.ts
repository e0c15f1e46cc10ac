/** A voice engine for tests: one tone per letter, no model, and it notes what it was asked. */
import { type SpeechWindows, windowEndMs } from '../../../src/workers/tts/speech-windows.ts';
import type { SpeechChunk, SpeechStyle, TtsEngine } from '../../../src/workers/tts/tts-engine.ts';

export interface Sine {
  readonly rateHz: number;
  readonly ms: number;
  readonly hz: number;
  readonly amplitude: number;
}

export function sine({ rateHz, ms, hz, amplitude }: Sine): Float32Array {
  return Float32Array.from({ length: Math.round((ms * rateHz) / 1000) }, (_, i) => {
    return amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz);
  });
}

export function rmsDb(pcm: Int16Array): number {
  const meanSquare = pcm.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / pcm.length;
  return 10 * Math.log10(meanSquare);
}

/** 40 ms of a tone for each letter, in windows when asked; "boom" fails. */
export class ToneEngine implements TtsEngine {
  readonly rateHz = 24_000;
  readonly voices = ['tone', 'other'];
  readonly asked: string[] = [];
  /** The chunks that were taken. */
  readonly given: Float32Array[] = [];
  /** Called before each piece is made: a test's chance to cancel. */
  onPiece: (piece: string) => void = () => {};
  /** Called before each chunk is made, with how many of its piece were taken. */
  onChunk: (taken: number) => void = () => {};

  async *synthesize(
    piece: string,
    { speed }: SpeechStyle,
    windows: SpeechWindows | null,
  ): AsyncGenerator<SpeechChunk> {
    this.asked.push(piece);
    this.onPiece(piece);
    if (piece.includes('boom')) throw new Error('boom');
    const letters = piece.match(/\p{L}/gu)?.length ?? 0;
    const whole = sine({ rateHz: this.rateHz, ms: (40 * letters) / speed, hz: 400, amplitude: 0.5 });
    const samplesPerMs = this.rateHz / 1000;
    for (let start = 0, taken = 0; start < whole.length; taken++) {
      this.onChunk(taken);
      const endMs = windows === null ? Number.POSITIVE_INFINITY : windowEndMs(windows, start / samplesPerMs);
      const end = Math.min(whole.length, Math.ceil(endMs) * samplesPerMs);
      const samples = whole.slice(start, end);
      this.given.push(samples);
      yield { samples, isLast: end === whole.length };
      start = end;
    }
  }

  async close(): Promise<void> {}
}
