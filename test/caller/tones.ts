/** Signals for the caller's tests, 8 kHz. */

/** Loud enough to count as speech on every scale. */
export function tone(ms: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) => Math.round(amplitude * Math.sin(i * 0.4)));
}

export function silence(ms: number): Int16Array {
  return new Int16Array(ms * 8);
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
