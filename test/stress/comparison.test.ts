/** Two results side by side: only what both have, and which way is better. */
import { describe, expect, it } from 'vitest';
import { compareReports } from '../../src/stress/comparison.ts';
import { reportWith } from './reports.ts';

const waits = (p95: number) => ({ p50: 500, p95, p99: 1000, max: 1000 });

function changeOf(name: string, a: object, b: object): string | undefined {
  return compareReports(reportWith(a), reportWith(b)).find((figure) => figure.name === name)?.change;
}

describe('the comparison of two runs', () => {
  it.each([
    ['voice to voice p95', { voiceToVoiceMs: waits(1000) }, { voiceToVoiceMs: waits(800) }, '20 % better'],
    ['voice to voice p95', { voiceToVoiceMs: waits(1000) }, { voiceToVoiceMs: waits(1500) }, '50 % worse'],
    ['voice to voice p95', { voiceToVoiceMs: waits(1000) }, { voiceToVoiceMs: waits(1020) }, 'same'],
    ['goals met', { callsOffered: 10, goalsMet: 5 }, { callsOffered: 10, goalsMet: 10 }, '100 % better'],
    ['calls failed', { callsFailed: 0 }, { callsFailed: 2 }, 'worse'],
    ['calls failed', { callsFailed: 0 }, { callsFailed: 0 }, 'same'],
    ['per call', { corePercentPerCall: 0.4 }, { corePercentPerCall: 0.2 }, '50 % better'],
  ])('%s of %o against %o: %s', (name, a, b, change) => {
    expect(changeOf(name, a, b)).toBe(change);
  });

  it('leaves out what only one of them measured', () => {
    expect(
      changeOf('voice to voice p95', { voiceToVoiceMs: waits(1) }, { voiceToVoiceMs: null }),
    ).toBeUndefined();
    expect(changeOf('capacity', {}, {})).toBeUndefined();
  });
});
