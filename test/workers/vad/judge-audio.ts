/** Test support: runs the energy VAD over a piece of audio, and measures where its speech really lies. */
import { readFileSync } from 'node:fs';
import { decodeUlaw, encodeUlaw } from '../../../src/audio/g711.ts';
import { mixToMono, parseWav } from '../../../src/audio/wav.ts';
import { EnergyVadModel } from '../../../src/workers/vad/energy-vad-model.ts';
import { SpeechDetector } from '../../../src/workers/vad/speech-detector.ts';
import { DEFAULT_VAD_OPTIONS } from '../../../src/workers/vad/vad-client.ts';
import { createVadBatch } from '../../../src/workers/vad/vad-model.ts';
import { toPcm, whiteNoise } from './synthetic-audio.ts';

export interface Judged {
  readonly kind: 'started' | 'stopped';
  readonly atMs: number;
  readonly decidedAtMs: number;
  readonly levelDbfs: number;
}

/** What the VAD says about 8 kHz audio. */
export function judge(pcm: Int16Array): Judged[] {
  const model = new EnergyVadModel({ rateHz: 8000, maxStreams: 1 });
  const batch = createVadBatch(8000, model.frameSamples, 1);
  batch.count = 1;
  batch.streams[0] = model.openStream();
  const detector = new SpeechDetector({ ...DEFAULT_VAD_OPTIONS.detector, rateHz: 8000, model });
  const judged: Judged[] = [];
  for (let end = model.frameSamples; end <= pcm.length; end += model.frameSamples) {
    batch.frames[0]!.set(pcm.subarray(end - model.frameSamples, end));
    model.run(batch);
    const kind = detector.frame({
      speech: batch.speech[0]!,
      isActive: batch.isActive[0] === 1,
      levelDbfs: batch.levelDbfs[0]!,
      endSample: end,
    });
    if (kind === 'none') continue;
    const atMs = detector.changedAtSample / 8;
    judged.push({ kind, atMs, decidedAtMs: end / 8, levelDbfs: detector.levelDbfs });
  }
  return judged;
}

/** As it comes over the telephone. */
export function throughG711(pcm: Int16Array): Int16Array {
  const bytes = new Uint8Array(pcm.length);
  const heard = new Int16Array(pcm.length);
  encodeUlaw(pcm, bytes, pcm.length);
  decodeUlaw(bytes, heard, pcm.length);
  return heard;
}

export interface Prompt {
  readonly pcm: Int16Array;
  /** First and last 10 ms whose level is within 25 dB of the loud parts. */
  readonly startMs: number;
  readonly endMs: number;
  readonly speechDbfs: number;
}

/** A fixture, with its speech measured. */
export function loadPrompt(name: string): Prompt {
  const url = new URL(`../../fixtures/speech/${name}.wav`, import.meta.url);
  const pcm = mixToMono(parseWav(readFileSync(url)));
  const powers: number[] = [];
  for (let at = 0; at + 80 <= pcm.length; at += 80) {
    powers.push(pcm.subarray(at, at + 80).reduce((sum, x) => sum + (x / 32_768) ** 2, 0) / 80);
  }
  const loud = [...powers].sort((a, b) => a - b)[Math.floor(powers.length * 0.95)]!;
  const isSpeech = powers.map((power) => power > loud / 316);
  const spoken = powers.filter((_, index) => isSpeech[index]);
  const speechDbfs = 10 * Math.log10(spoken.reduce((sum, power) => sum + power, 0) / spoken.length);
  return {
    pcm,
    startMs: isSpeech.indexOf(true) * 10,
    endMs: (isSpeech.lastIndexOf(true) + 1) * 10,
    speechDbfs,
  };
}

export interface Scene {
  readonly pcm: Int16Array;
  readonly startMs: number;
  readonly endMs: number;
}

const LEAD_SAMPLES = 8000;
const TAIL_SAMPLES = 8000;

/** A second of noise, the prompt in noise, a second of noise; through G.711. */
export function sceneOf(prompt: Prompt, levelDbfs: number, snrDb: number, seed: number): Scene {
  const noise = whiteNoise(LEAD_SAMPLES + prompt.pcm.length + TAIL_SAMPLES, levelDbfs - snrDb, seed);
  const gain = 10 ** ((levelDbfs - prompt.speechDbfs) / 20);
  const mixed = noise.map((sample, n) => {
    const speech = gain * (prompt.pcm[n - LEAD_SAMPLES] ?? 0);
    return Math.max(-32_768, Math.min(32_767, Math.round(sample + speech)));
  });
  const leadMs = LEAD_SAMPLES / 8;
  return { pcm: throughG711(mixed), startMs: leadMs + prompt.startMs, endMs: leadMs + prompt.endMs };
}

/** `signal` at `levelDbfs`, switched on for `onMs` and off for `offMs` by turns, over a quiet line. */
export function cadence(signal: Float64Array, levelDbfs: number, onMs: number, offMs: number): Int16Array {
  const pcm = toPcm(signal, levelDbfs);
  const background = whiteNoise(signal.length, -55, 99);
  const mixed = pcm.map((sample, n) => {
    const isOn = (n / 8) % (onMs + offMs) >= offMs;
    return Math.max(-32_768, Math.min(32_767, (isOn ? sample : 0) + background[n]!));
  });
  return throughG711(mixed);
}
