/**
 * The caller's own mouth and ear: TTS and Whisper of a model pack, in pools of the caller's process.
 * Thread: the caller process's main thread.
 */
import { floatToInt16, int16ToFloat } from '../audio/pcm.ts';
import type { ModelPack } from '../models/pack.ts';
import { createResampler } from '../native/resampler.ts';
import { TtsClient } from '../workers/tts/tts-client.ts';
import { WhisperClient } from '../workers/whisper/whisper-client.ts';
import type { VoicePlan } from './line-and-voice.ts';

const LINE_RATE_HZ = 8000;
/** Lower than the runtime's own inference: the caller must not take its cores. */
const NICE_INCREMENT = 15;

/** A caller makes something even of what it hears badly; what it means is judged by the words (agent-speech.ts). */
const LEAST_MEAN_LOG_PROBABILITY = -3;
/** Rate of a voice that is then played faster or slower. */
const WARPED_RATE_HZ = 24_000;

/** Shared by all calls of the process. */
export interface CallerEngines {
  transcribe(samples: Int16Array, rateHz: number): Promise<string>;
  /** Speech at 8 kHz. */
  render(text: string, voice: VoicePlan): Promise<Int16Array>;
  close(): Promise<void>;
}

/** Loads both engines. */
export async function startCallerEngines(pack: ModelPack): Promise<CallerEngines> {
  const guards = { ...pack.whisper.guards, minMeanLogProbability: LEAST_MEAN_LOG_PROBABILITY };
  const [tts, whisper] = await Promise.all([
    TtsClient.start({ ...pack.tts, threads: 1, niceIncrement: NICE_INCREMENT }),
    WhisperClient.start({ ...pack.whisper, guards, threads: 1, niceIncrement: NICE_INCREMENT }),
  ]);
  return {
    async transcribe(samples, rateHz) {
      const result = await whisper.transcribeSamples(samples, rateHz);
      return result.text;
    },
    async render(text, { name, speed, pitchFactor }) {
      if (pitchFactor === 1) {
        return (await tts.render(text, { voice: name, speed, rateHz: LINE_RATE_HZ })).samples;
      }
      // Played faster by the factor, so spoken slower by it: only the pitch changes.
      const voicing = { voice: name, speed: speed / pitchFactor, rateHz: WARPED_RATE_HZ };
      const { samples } = await tts.render(text, voicing);
      return toLineRate(samples, Math.round(WARPED_RATE_HZ * pitchFactor));
    },
    async close() {
      await Promise.all([tts.close(), whisper.close()]);
    },
  };
}

/** 16-bit audio of any rate as 8 kHz. */
export function toLineRate(samples: Int16Array, rateHz: number): Int16Array {
  if (rateHz === LINE_RATE_HZ) return samples;
  const resampler = createResampler({ fromHz: rateHz, toHz: LINE_RATE_HZ });
  const input = new Float32Array(samples.length);
  int16ToFloat(samples, input, samples.length);
  const output = new Float32Array(resampler.maxOutputSamples(input.length) + LINE_RATE_HZ);
  let lengthSamples = resampler.process(input, output);
  lengthSamples += resampler.flush(output.subarray(lengthSamples));
  const line = new Int16Array(lengthSamples);
  floatToInt16(output, line, lengthSamples);
  return line;
}
