import { describe, expect, test } from 'vitest';
import { cadence, judge, loadPrompt, sceneOf, throughG711 } from './judge-audio.ts';
import { gaussian, seededRandom, toPcm, whiteNoise } from './synthetic-audio.ts';

const PROMPTS = ['yes', 'what-time-is-it', 'book-a-table', 'stop'] as const;
const SECONDS_60 = 60 * 8000;

/** Onset and end of the whole utterance: the first start and the last stop. */
function spanOf(pcm: Int16Array) {
  const judged = judge(pcm);
  const starts = judged.filter(({ kind }) => kind === 'started');
  return { judged, starts, first: starts[0], last: judged.findLast(({ kind }) => kind === 'stopped') };
}

describe('speech', () => {
  for (const name of PROMPTS) {
    const prompt = loadPrompt(name);
    test.each([
      [-6, 30],
      [-20, 40],
      [-20, 20],
      [-45, 25],
    ])(`"${name}" at %i dBFS, %i dB above the noise`, (levelDbfs, snrDb) => {
      for (const seed of [1, 2, 3]) {
        const scene = sceneOf(prompt, levelDbfs, snrDb, seed);
        const { judged, starts, first, last } = spanOf(scene.pcm);
        expect(first, `seed ${seed}`).toBeDefined();
        expect(first!.atMs - scene.startMs).toBeGreaterThanOrEqual(-140);
        expect(first!.atMs - scene.startMs).toBeLessThanOrEqual(80);
        expect(first!.decidedAtMs - scene.startMs).toBeLessThanOrEqual(240);
        expect(last!.atMs - scene.endMs).toBeGreaterThanOrEqual(-150);
        expect(last!.atMs - scene.endMs).toBeLessThanOrEqual(200);
        expect(judged).toHaveLength(2 * starts.length);
        expect(Math.abs(last!.levelDbfs - levelDbfs)).toBeLessThan(8);
      }
    });
  }

  test.each(['yes', 'what-time-is-it', 'book-a-table'])('"%s" in noise only 5 and 10 dB weaker', (name) => {
    const prompt = loadPrompt(name);
    for (const snrDb of [5, 10]) {
      const scene = sceneOf(prompt, -20, snrDb, 4);
      const { first, last } = spanOf(scene.pcm);
      // An unstressed first word may lie below the noise.
      expect(first!.atMs - scene.startMs).toBeLessThanOrEqual(400);
      expect(last!.atMs).toBeGreaterThan(first!.atMs + 80);
    }
  });

  test('a stop is reported 80 ms after the speech, plus a frame', () => {
    const scene = sceneOf(loadPrompt('what-time-is-it'), -20, 40, 1);
    for (const { kind, atMs, decidedAtMs } of judge(scene.pcm)) {
      if (kind === 'stopped') expect(decidedAtMs - atMs).toBeLessThanOrEqual(100);
    }
  });

  test('speech at the very first sample of a call is found', () => {
    const prompt = loadPrompt('book-a-table');
    const { first } = spanOf(throughG711(prompt.pcm.subarray(prompt.startMs * 8)));
    expect(first!.atMs).toBeLessThanOrEqual(80);
  });

  test('speech is found again after a minute of loud noise has gone', () => {
    const scene = sceneOf(loadPrompt('what-time-is-it'), -20, 40, 1);
    const noise = throughG711(whiteNoise(SECONDS_60, -25, 8));
    const pcm = new Int16Array(noise.length + scene.pcm.length);
    pcm.set(noise);
    pcm.set(scene.pcm, noise.length);
    const { starts, first } = spanOf(pcm);
    expect(first!.atMs - 60_000 - scene.startMs).toBeLessThanOrEqual(80);
    expect(starts.length).toBeLessThanOrEqual(3);
  });
});

function startsIn(pcm: Int16Array): number[] {
  return judge(pcm).flatMap(({ kind, atMs }) => (kind === 'started' ? [atMs] : []));
}

function coloured(samples: number, seed: number, pole: number): Float64Array {
  const random = seededRandom(seed);
  let state = 0;
  return Float64Array.from({ length: samples }, () => {
    state = pole * state + gaussian(random);
    return state;
  });
}

function sines(frequenciesHz: readonly number[]): Float64Array {
  const sum = (n: number) => frequenciesHz.reduce((y, f) => y + Math.sin((2 * Math.PI * f * n) / 8000), 0);
  return Float64Array.from({ length: SECONDS_60 }, (_, n) => sum(n));
}

describe('60 s without speech', () => {
  test.each([-60, -40, -25, -12])('white and pinkish noise at %i dBFS', (levelDbfs) => {
    for (const seed of [1]) {
      expect(startsIn(throughG711(whiteNoise(SECONDS_60, levelDbfs, seed)))).toEqual([]);
      expect(startsIn(throughG711(toPcm(coloured(SECONDS_60, seed, 0.9), levelDbfs)))).toEqual([]);
    }
  });

  test('noise that comes and goes every 5 s, 30 dB', () => {
    const noise = coloured(SECONDS_60, 5, 0.5).map((x, n) => (Math.floor(n / 40_000) % 2 ? x : 0.03 * x));
    expect(startsIn(throughG711(toPcm(noise, -25)))).toEqual([]);
  });

  test('comfort noise switched on and off', () => {
    const random = seededRandom(4);
    const noise = whiteNoise(SECONDS_60, -50, 4);
    let gain = 0;
    const gated = noise.map((x, n) => {
      if (n % 160 === 0 && random() < 0.03) gain = gain > 0 ? 0 : random();
      return x * gain;
    });
    expect(startsIn(throughG711(gated))).toEqual([]);
  });

  test('mains hum with its harmonics, on and off', () => {
    const hum = sines([50, 100, 150, 200, 250, 300, 350]);
    expect(startsIn(cadence(hum, -25, 60_000, 0))).toEqual([]);
    expect(startsIn(cadence(hum, -25, 3000, 2000))).toEqual([]);
  });

  test.each([
    ['dial tone', [350, 440], 60_000, 0],
    ['ringback, US', [440, 480], 2000, 4000],
    ['busy, US', [480, 620], 500, 500],
    ['ringback, Europe', [425], 1000, 4000],
    ['fax calling tone', [1100], 500, 3000],
    ['modem answer', [2100], 3000, 1000],
    ['1 kHz', [1000], 3000, 1000],
    ['200 Hz', [200], 1500, 700],
    ['long DTMF 1', [697, 1209], 1200, 800],
    ['short DTMF 5', [770, 1336], 100, 200],
  ] as const)('%s', (_name, frequenciesHz, onMs, offMs) => {
    for (const levelDbfs of [-10, -25]) {
      expect(startsIn(cadence(sines(frequenciesHz), levelDbfs, onMs, offMs))).toEqual([]);
    }
  });

  test('digital silence, full-scale square waves and single clicks', () => {
    expect(startsIn(new Int16Array(SECONDS_60))).toEqual([]);
    expect(
      startsIn(Int16Array.from({ length: SECONDS_60 }, (_, n) => (n % 16 < 8 ? 32_767 : -32_768))),
    ).toEqual([]);
    expect(startsIn(Int16Array.from({ length: SECONDS_60 }, (_, n) => (n % 5000 < 20 ? 30_000 : 0)))).toEqual(
      [],
    );
  });
});
