/** Marks every word of a header that no side owns, and looks later whether anyone stored there. */
import { FIXED_WORD, RING_WORD, SAMPLES_OFFSET_BYTES, TAPE_WORD } from '../../../src/ring-buffers/layout.ts';

const CANARY = 0x0badf00d;

const owned = {
  tape: new Set<number>([...Object.values(FIXED_WORD), ...Object.values(TAPE_WORD)]),
  ring: new Set<number>([...Object.values(FIXED_WORD), ...Object.values(RING_WORD)]),
};

export function setHeaderCanaries(kind: 'tape' | 'ring', buffer: SharedArrayBuffer): void {
  const words = headerWords(buffer);
  for (let word = 0; word < words.length; word++) if (!owned[kind].has(word)) words[word] = CANARY;
}

export function deadHeaderCanaries(kind: 'tape' | 'ring', buffer: SharedArrayBuffer): number[] {
  return [...headerWords(buffer)].flatMap((value, word) =>
    owned[kind].has(word) || value === CANARY ? [] : [word],
  );
}

/** A frame between two guard samples; `guardsAlive` tells whether a read stayed inside it. */
export function guardedFrame(lengthSamples: number): { frame: Int16Array; guardsAlive: () => boolean } {
  const whole = new Int16Array(lengthSamples + 2).fill(12345);
  const frame = whole.subarray(1, lengthSamples + 1);
  return { frame, guardsAlive: () => whole[0] === 12345 && whole[lengthSamples + 1] === 12345 };
}

function headerWords(buffer: SharedArrayBuffer): Int32Array {
  return new Int32Array(buffer, 0, SAMPLES_OFFSET_BYTES / 4);
}
