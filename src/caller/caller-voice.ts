/**
 * The voice of one caller and the line it is heard over: renders utterances with their pauses, and makes the noise and
 * the losses that its plan asks for. Thread: the caller process's main thread.
 */
import type { CallerPlan } from './caller-plan.ts';
import { lossPattern, noiseRms, noiseSource, speechPower } from './impairment.ts';
import type { VoicePlan } from './line-and-voice.ts';
import type { Utterance } from './speechwriter.ts';
import type { OutgoingLine } from './telephone.ts';

const SAMPLES_PER_MS = 8;

/** The one thing a voice needs of an engine: speech at 8 kHz. */
export type RenderText = (text: string, voice: VoicePlan) => Promise<Int16Array>;

/** Speaks utterances in one voice; each text is made once. */
export function callerVoice(
  voice: VoicePlan,
  render: RenderText,
): (utterance: Utterance) => Promise<Int16Array> {
  const made = new Map<string, Promise<Int16Array>>();
  const once = (text: string): Promise<Int16Array> => {
    const samples = made.get(text) ?? render(text, voice);
    made.set(text, samples);
    return samples;
  };
  return async ({ text, pauses }) => joined(await Promise.all(splitAtPauses(text, pauses).map(once)), pauses);
}

/** The line of a plan; its noise lies under this caller's own speech. @param speech something this caller says */
export function outgoingLine({ line, seed }: CallerPlan, speech: Int16Array): OutgoingLine {
  const { snrDb, noise, gainDb, lossPercent } = line;
  const gain = 10 ** (gainDb / 20);
  const rms = snrDb === null ? 0 : noiseRms(speechPower(speech), snrDb) * gain;
  const next = noiseSource(noise, seed);
  return {
    gain,
    nextNoise: rms === 0 ? () => 0 : () => rms * next(),
    isLost: lossPercent === 0 ? () => false : lossPattern({ lossPercent, seed }),
  };
}

function splitAtPauses(text: string, pauses: Utterance['pauses']): string[] {
  const words = text.split(' ');
  const cuts = [0, ...pauses.map(({ afterWords }) => afterWords), words.length];
  return cuts.slice(1).map((to, i) => words.slice(cuts[i], to).join(' '));
}

function joined(pieces: readonly Int16Array[], pauses: Utterance['pauses']): Int16Array {
  const parts = pieces.flatMap((piece, i) => {
    const pauseMs = pauses[i]?.ms ?? 0;
    return [piece, new Int16Array(pauseMs * SAMPLES_PER_MS)];
  });
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
