/** Rows of the benches: their JSON shape, their targets, their table. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { against, aimedAt, figure, quantiles } from '../../bench/bench-row.ts';
import { describeMachine } from '../../bench/machine.ts';
import { judged, MODEL_TARGETS } from '../../bench/models/targets.ts';
import { summaryOf, tableOf } from '../../bench/row-table.ts';

describe('rows', () => {
  it('of one figure have it in every quantile', () => {
    expect(figure('a', 'MiB', 2.000049, { files: 3 })).toEqual({
      name: 'a',
      unit: 'MiB',
      p50: 2,
      p95: 2,
      p99: 2,
      files: 3,
    });
  });

  it('of samples have their quantiles', () => {
    const row = quantiles(
      'a',
      'ms',
      Array.from({ length: 100 }, (_, i) => 100 - i),
    );
    expect(row).toMatchObject({ p50: 51, p95: 96, p99: 100, samples: 100 });
  });

  it('of samples leave out what could not be measured', () => {
    expect(quantiles('a', 'ms', [3, Number.NaN, 1, 2, Number.NaN])).toMatchObject({ p50: 2, samples: 3 });
    expect(quantiles('a', 'ms', [Number.NaN]).p50).toBeNaN();
  });

  it('beside a baseline say how many times better they are', () => {
    const row = against(figure('a', 'ms', 2), { name: 'peer', p50: 5 });
    expect(row).toMatchObject({ baseline: 'peer', baselineP50: 5, ratio: 2.5 });
    expect(against(figure('a', 'ms', 0), { name: 'peer', p50: 5 })).not.toHaveProperty('ratio');
  });

  it.each([
    [{ atMost: 4 }, 4, true],
    [{ atMost: 4 }, 4.1, false],
    [{ atLeast: 0.9 }, 0.9, true],
    [{ atLeast: 0.9 }, 0.89, false],
    [{ atMost: 4 }, Number.NaN, false],
  ])('aimed at %o with %d', (target, value, holds) => {
    expect(aimedAt(figure('a', 'x', value), target)).toMatchObject({ target, holds });
  });

  it('aimed at by their p99 or their ratio are judged by that, and say so', () => {
    const row = against(quantiles('a', 'ms', [2, 2, 9]), { name: 'peer', p50: 5 });
    expect(aimedAt(row, { atMost: 8 }, 'p99')).toMatchObject({ targetOf: 'p99', holds: false });
    expect(aimedAt(row, { atLeast: 2.5 }, 'ratio')).toMatchObject({ targetOf: 'ratio', holds: true });
    expect(aimedAt(row, { atLeast: 2.6 }, 'ratio')).toMatchObject({ holds: false });
    expect(aimedAt(figure('a', 'ms', 2), { atLeast: 1 }, 'ratio')).toMatchObject({ holds: false });
    expect(aimedAt(row, { atMost: 8 })).not.toHaveProperty('targetOf');
  });
});

describe('targets', () => {
  it('stand for every name that scripts rely on', () => {
    const names = [
      'wer.clean',
      'wer.snr15',
      'wer.loss3',
      'slotError.clean',
      'dialogue.true',
      'dialogue.recognised',
    ];
    const others = [
      'tts.wer',
      'tts.realTimeFactor',
      'hallucinatedWords',
      'callers.goalsMet',
      'sizeMiB',
      'coldStartMs',
    ];
    for (const name of [...names, ...others]) expect(MODEL_TARGETS).toHaveProperty([`models.${name}`]);
  });

  it('are put to rows by name', () => {
    expect(judged(figure('models.hallucinatedWords', 'count', 1)).holds).toBe(false);
    expect(judged(figure('models.unheardOf', 'count', 1))).not.toHaveProperty('holds');
  });
});

describe('the header', () => {
  it('has the version of every engine and peer', () => {
    const machine = describeMachine();
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as Record<string, Record<string, string>>;
    const pinned = { ...dependencies, ...devDependencies };
    for (const name of [
      'kokoro-js',
      '@huggingface/transformers',
      'sip.js',
      'sip',
      'ringbuf.js',
      'node-llama-cpp',
    ])
      expect(machine[name]).toBe(pinned[name]);
    expect(Object.values(machine)).not.toContain('not installed');
  });
});

describe('the table', () => {
  const rows = [
    judged(figure('models.sizeMiB', 'MiB', 20)),
    judged(against(figure('models.tts.wer', 'fraction', 0.05), { name: 'teacher', p50: 0.06 })),
    quantiles('models.other', 'ms', [1, 2, 3]),
    aimedAt(against(figure('sooner', 'ms', 2), { name: 'peer', p50: 5 }), { atLeast: 3 }, 'ratio'),
  ];

  it('has the ratio first, and target and verdict beside each figure', () => {
    const [size, wer, other, sooner] = tableOf(rows).split('\n');
    expect(size).toMatch(/^models\.sizeMiB +20 MiB +<= 28\.6 +holds$/);
    expect(wer).toMatch(/^models\.tts\.wer +1\.2x +0\.05 fraction +<= 0\.04 +MISSED +teacher: 0\.06$/);
    expect(other).toMatch(/^models\.other +2 \(p99 3\) ms$/);
    expect(sooner).toMatch(/^sooner +2\.5x +2 ms +ratio >= 3 +MISSED +peer: 5$/);
  });

  it('counts the targets that hold', () => {
    expect(summaryOf(rows)).toBe('1 of 3 targets hold');
    expect(summaryOf([rows[2]!])).toBe('');
  });
});
