import { describe, expect, test } from 'vitest';
import { type FrameVerdict, SpeechDetector } from '../../../src/workers/vad/speech-detector.ts';

const MODEL = { frameSamples: 160, startThreshold: 0.9, stopThreshold: 0.4, startMs: 60 };

/** One letter per 20 ms frame: S speech, v some evidence, a active only, dot silence. */
function run(frames: string, startSample = 0, options = {}) {
  const detector = new SpeechDetector({
    stopHangoverMs: 80,
    maxOnsetMs: 300,
    ...options,
    rateHz: 8000,
    model: MODEL,
  });
  const changes: string[] = [];
  for (const [index, letter] of [...frames].entries()) {
    const verdict: FrameVerdict = {
      speech: { S: 1, v: 0.5 }[letter] ?? 0,
      isActive: letter !== '.',
      levelDbfs: letter === '.' ? -60 : -20,
      endSample: (startSample + (index + 1) * 160) >>> 0,
    };
    const change = detector.frame(verdict);
    const frame = ((detector.changedAtSample - startSample) | 0) / 160;
    if (change !== 'none') changes.push(`${change} ${frame} known ${index + 1}`);
  }
  return changes;
}

describe('start', () => {
  test.each([0, 2 ** 32 - 500])('60 ms of evidence, from position %i', (start) => {
    expect(run('...SSS', start)).toEqual(['started 3 known 6']);
    expect(run('...SS.......S', start)).toEqual([]);
  });

  test('begins where the activity before it began, up to 300 ms back, over a short closure', () => {
    expect(run('...aaaSSS')).toEqual(['started 3 known 9']);
    expect(run('...aa..aSSS')).toEqual(['started 3 known 11']);
    expect(run('...aa...aSSS')).toEqual(['started 8 known 12']);
    expect(run(`...${'a'.repeat(40)}SSS`)).toEqual(['started 31 known 46']);
  });

  test('evidence with gaps counts, scattered evidence does not', () => {
    expect(run('...SSaSS')).toEqual(['started 3 known 8']);
    expect(run('S....'.repeat(20))).toEqual([]);
    expect(run('vvvvvvvvvvvvvvv')).toEqual([]);
  });
});

describe('stop', () => {
  test('80 ms after the last speech', () => {
    expect(run('SSSS....')).toEqual(['started 0 known 3', 'stopped 4 known 8']);
    expect(run('SSSS...S....')).toEqual(['started 0 known 3', 'stopped 8 known 12']);
  });

  test('an unvoiced end belongs to the speech, a noise that stays does not', () => {
    expect(run('SSSaaaa....')).toEqual(['started 0 known 3', 'stopped 7 known 11']);
    const [, stopped] = run(`SSS${'a'.repeat(60)}`);
    expect(stopped).toBe('stopped 16 known 20');
  });

  test('starts and stops alternate whatever comes', () => {
    let state = 3;
    for (let round = 0; round < 200; round += 1) {
      const frames = Array.from({ length: 300 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return '..aSSSSv'[state >>> 29]!;
      }).join('');
      const kinds = run(frames).map((change) => change.split(' ')[0]);
      expect(kinds.every((kind, index) => kind === (index % 2 ? 'stopped' : 'started'))).toBe(true);
    }
  });
});
