/** Loss concealment: what a listener would hear, put into numbers. */
import { describe, expect, it } from 'vitest';
import { peak, rmsDbfs } from '../../src/audio/level.ts';
import { PacketLossConcealer } from '../../src/audio/plc.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const RATE_HZ = 8000;
const FRAME_SAMPLES = 160;

type Signal = (sample: number) => number;

const sine =
  (hz: number, amplitude: number): Signal =>
  (i) =>
    amplitude * Math.sin((2 * Math.PI * hz * i) / RATE_HZ);

/** A voiced sound: harmonics of a pitch that glides, under a spectrum that falls like a voice's. */
const vowel =
  (pitchHz: number): Signal =>
  (i) => {
    const seconds = i / RATE_HZ;
    const cycles = pitchHz * seconds + 2 * Math.sin(2 * Math.PI * 0.7 * seconds);
    let sum = 0;
    for (let harmonic = 1; harmonic * pitchHz < 3400; harmonic++) {
      sum += Math.sin(2 * Math.PI * harmonic * cycles + harmonic ** 2) / harmonic;
    }
    return 6000 * sum;
  };

function framesOf(signal: Signal, frames: number): Int16Array[] {
  return Array.from({ length: frames }, (_, frame) =>
    Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => Math.round(signal(frame * FRAME_SAMPLES + i))),
  );
}

/** What comes out when the frames with these numbers are lost. */
function receive(frames: readonly Int16Array[], isLost: (frame: number) => boolean): Int16Array {
  const concealer = new PacketLossConcealer();
  const heard = new Int16Array(frames.length * FRAME_SAMPLES);
  frames.forEach((sent, number) => {
    const frame = heard.subarray(number * FRAME_SAMPLES, (number + 1) * FRAME_SAMPLES);
    if (isLost(number)) {
      concealer.conceal(frame);
    } else {
      frame.set(sent);
      concealer.good(frame);
    }
  });
  return heard;
}

function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i++)
    largest = Math.max(largest, Math.abs(samples[i]! - samples[i - 1]!));
  return largest;
}

function join(frames: readonly Int16Array[]): Int16Array {
  return Int16Array.from(frames.flatMap((frame) => [...frame]));
}

/** Signal-to-error ratio over the frames [from, to), dB. */
function qualityDb(sent: Int16Array, heard: Int16Array, from: number, to: number): number {
  let signal = 0;
  let error = 0;
  for (let i = from * FRAME_SAMPLES; i < to * FRAME_SAMPLES; i++) {
    signal += sent[i]! ** 2;
    error += (sent[i]! - heard[i]!) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

const signals: readonly (readonly [string, Signal])[] = [
  ['a sine of 200 Hz', sine(200, 10_000)],
  ['a sine of 440 Hz', sine(440, 10_000)],
  ['a sine of 1 kHz', sine(1000, 10_000)],
  ['a sine of 1,237 Hz', sine(1237, 10_000)],
  ['a low voice', vowel(95)],
  ['a high voice', vowel(230)],
];

describe.each(signals)('one lost frame in %s', (_, signal) => {
  const frames = framesOf(signal, 20);
  const sent = join(frames);
  const heard = receive(frames, (frame) => frame === 12);

  it('makes no click: no step larger than a quarter more than the signal itself has', () => {
    expect(largestStep(heard)).toBeLessThanOrEqual(1.25 * largestStep(sent));
  });

  it('keeps the loudness within 3 dB', () => {
    const lost = (samples: Int16Array): Int16Array =>
      samples.subarray(12 * FRAME_SAMPLES, 13 * FRAME_SAMPLES);
    expect(Math.abs(rmsDbfs(lost(heard)) - rmsDbfs(lost(sent)))).toBeLessThan(3);
  });

  it('leaves the frames before and, after the blend, behind alone', () => {
    expect(heard.subarray(0, 12 * FRAME_SAMPLES)).toEqual(sent.subarray(0, 12 * FRAME_SAMPLES));
    const blendedUntil = 13 * FRAME_SAMPLES + 80;
    expect(heard.subarray(blendedUntil)).toEqual(sent.subarray(blendedUntil));
  });
});

describe('concealment', () => {
  it.each([200, 400, 500, 1000])('continues a sine of %d Hz almost exactly', (hz) => {
    const frames = framesOf(sine(hz, 10_000), 20);
    const heard = receive(frames, (frame) => frame === 12);
    // 20 ms with a fade of 20 % in the second half.
    expect(qualityDb(join(frames), heard, 12, 13)).toBeGreaterThan(15);
  });

  it('is far better than silence for a voice', () => {
    const frames = framesOf(vowel(120), 60);
    const heard = receive(frames, (frame) => frame % 10 === 9);
    for (let lost = 9; lost < 60; lost += 10) {
      expect(qualityDb(join(frames), heard, lost, lost + 1), `frame ${lost}`).toBeGreaterThan(5);
    }
  });

  it('fades: full for 10 ms, silent from 60 ms on, in steps without clicks', () => {
    const frames = framesOf(sine(200, 10_000), 20);
    const heard = receive(frames, (frame) => frame >= 10);
    const at = (fromMs: number, toMs: number): Int16Array =>
      heard.subarray(1600 + fromMs * 8, 1600 + toMs * 8);
    expect(rmsDbfs(at(0, 10))).toBeCloseTo(rmsDbfs(heard.subarray(0, 1600)), 0);
    for (let ms = 10; ms < 60; ms += 10) {
      expect(rmsDbfs(at(ms, ms + 10))).toBeLessThan(rmsDbfs(at(ms - 10, ms)));
    }
    expect(peak(at(60, 200))).toBe(0);
    expect(largestStep(heard)).toBeLessThanOrEqual(1.25 * largestStep(join(frames)));
  });

  it('comes back from a long loss without a click', () => {
    const frames = framesOf(vowel(150), 30);
    const heard = receive(frames, (frame) => frame >= 10 && frame < 18);
    expect(largestStep(heard)).toBeLessThanOrEqual(1.25 * largestStep(join(frames)));
    const afterwards = 19 * FRAME_SAMPLES;
    expect(heard.subarray(afterwards)).toEqual(join(frames).subarray(afterwards));
  });

  it('has nothing to say before anything was heard', () => {
    const heard = receive(framesOf(sine(440, 10_000), 3), () => true);
    expect(peak(heard)).toBe(0);
  });

  it('keeps silence silent', () => {
    expect(
      peak(
        receive(
          framesOf(() => 0, 10),
          (frame) => frame % 2 === 1,
        ),
      ),
    ).toBe(0);
  });

  it('never wraps around, however loud', () => {
    const random = new SeededRandom(printedSeed('PLC, loud'));
    const square: Signal = (i) => (i % 37 < 18 ? 32767 : -32768);
    const noise: Signal = () => random.integer(-32768, 32767);
    for (const signal of [square, noise]) {
      const frames = framesOf(signal, 100);
      const heard = receive(frames, () => random.isTrue(0.3));
      expect(peak(heard)).toBeLessThanOrEqual(32768);
    }
    const dc = receive(
      framesOf(() => 32767, 40),
      (frame) => frame % 4 === 3,
    );
    expect(Math.min(...dc)).toBeGreaterThan(0); // a wrapped sample would be -32768
  });

  it('fills frames of any length, and time never shrinks', () => {
    const random = new SeededRandom(printedSeed('PLC, frame lengths'));
    const concealer = new PacketLossConcealer();
    const voice = vowel(110);
    let position = 0;
    let last = 0;
    let largest = 0;
    for (let i = 0; i < 2000; i++) {
      const frame = new Int16Array(random.integer(1, 960)).fill(12345);
      const next = (): number => Math.round(voice(position++));
      const sent = Int16Array.from(frame, next);
      if (random.isTrue(0.2)) {
        concealer.conceal(frame);
      } else {
        frame.set(sent);
        concealer.good(frame);
      }
      for (const sample of frame) {
        largest = Math.max(largest, Math.abs(sample - last));
        last = sample;
      }
      expect(frame.length).toBe(sent.length);
    }
    expect(largest).toBeLessThan(2 * largestStep(join(framesOf(voice, 100))));
  });

  it('works at 16 kHz as well', () => {
    const concealer = new PacketLossConcealer({ rateHz: 16_000 });
    const tone = (i: number): number => 10_000 * Math.sin((2 * Math.PI * 250 * i) / 16_000);
    const frame = Int16Array.from({ length: 3200 }, (_, i) => tone(i));
    concealer.good(frame);
    const lost = new Int16Array(160);
    concealer.conceal(lost);
    for (let i = 0; i < lost.length; i++) expect(Math.abs(lost[i]! - tone(3200 + i))).toBeLessThan(400);
  });
});
