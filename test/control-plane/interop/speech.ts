/** Recorded callers as the old inbound processor passed them on: 16 kHz float32, by linear interpolation. */
import { utterance } from '../../runtime/test-caller.ts';

const INT16_SCALE = 32_768;

/** @param name of a file in test/fixtures/utterances, without its ending */
export function recordedSpeech(name: string): Float32Array {
  const line = utterance(name);
  return Float32Array.from({ length: line.length * 2 }, (_, index) => {
    const [before = 0, after = before] = [line[index >> 1], line[(index + 1) >> 1]];
    return (before + after) / 2 / INT16_SCALE;
  });
}
