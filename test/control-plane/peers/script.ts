/**
 * What the peers say, hear, think and voice instead of models: pure functions, so that a test can compute from the
 * caller's tone what has to come out of the other end, sample by sample.
 */

const AMPLITUDE = 0.3;
const LOUD = 0.1;
/** Voiced samples of one character of text. */
const SAMPLES_PER_CHARACTER = 200;

/** A sine that begins at zero. */
export function tone(frequencyHz: number, lengthSamples: number, rateHz: number): Float32Array {
  return Float32Array.from(
    { length: lengthSamples },
    (_, index) => AMPLITUDE * Math.sin((2 * Math.PI * frequencyHz * index) / rateHz),
  );
}

/**
 * The frequency of the tone in `samples` by its rising zero crossings, to the nearest 10 Hz; 0 for silence. Only the
 * middle half of what is loud counts, so that silence around it and edges do not disturb.
 */
export function frequencyOf(samples: Float32Array, rateHz: number): number {
  const isLoud = (sample: number): boolean => Math.abs(sample) > LOUD;
  const [first, last] = [samples.findIndex(isLoud), samples.findLastIndex(isLoud)];
  const margin = Math.round((last - first) / 4);
  const crossings = risingZeros(samples.subarray(first + margin, last - margin));
  const periods = crossings.length - 1;
  if (first < 0 || periods < 1) return 0;
  const lengthSamples = (crossings.at(-1) ?? 0) - (crossings[0] ?? 0);
  return Math.round((periods * rateHz) / lengthSamples / 10) * 10;
}

function risingZeros(samples: Float32Array): number[] {
  const crossings: number[] = [];
  for (let index = 1; index < samples.length; index++) {
    const [before = 0, now = 0] = [samples[index - 1], samples[index]];
    if (before < 0 && now >= 0) crossings.push(index - now / (now - before));
  }
  return crossings;
}

/** What the scripted Whisper makes of an utterance. */
export function transcriptOf(samples: Float32Array, rateHz: number): string {
  return `a tone of ${frequencyOf(samples, rateHz)} hertz for ${samples.length} samples`;
}

/** What the scripted LLaMA answers: two sentences, with letters outside ASCII. */
export function replyTo(text: string, turn: number): string {
  return `You said “${text}”. This is reply ${turn}, naïvely.`;
}

export function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?])\s+/).filter((sentence) => sentence !== '');
}

/** The voice of a scripted TTS: one tone, its pitch and length made of the text. */
export function voiceOf(text: string, rateHz: number): Float32Array {
  return tone(pitchOf(text), text.length * SAMPLES_PER_CHARACTER, rateHz);
}

function pitchOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return 200 + hash;
}
