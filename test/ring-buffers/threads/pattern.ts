/** The sample that belongs at a position, so that any thread can check any sample it reads. */
export function sampleAt(position: number): number {
  return (Math.imul(position, 0x9e3779b1) >> 16) ^ (position & 0xff);
}

export function fillPattern(target: Int16Array, position: number): void {
  for (let i = 0; i < target.length; i++) target[i] = sampleAt((position + i) >>> 0);
}

/** How many of the first `count` samples are not the ones of `position` and on. */
export function countWrong(samples: Int16Array, count: number, position: number): number {
  let wrong = 0;
  for (let i = 0; i < count; i++) if (samples[i] !== (sampleAt((position + i) >>> 0) << 16) >> 16) wrong++;
  return wrong;
}
