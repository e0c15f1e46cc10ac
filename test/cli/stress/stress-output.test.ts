/** What `stress --out` leaves behind: all that can be written, and a word of what cannot, when the run is over. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CrowdCall } from '../../../src/caller/crowd.ts';
import type { PlacedCall } from '../../../src/caller/place-call.ts';
import { StressOutput } from '../../../src/cli/stress/stress-output.ts';
import { reportWith } from '../../stress/reports.ts';

const scratch: string[] = [];

afterEach(() => {
  for (const folder of scratch.splice(0)) rmSync(folder, { recursive: true });
});

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-stress-output-'));
  scratch.push(folder);
  return folder;
}

function call(seed: number, goalMet: boolean): CrowdCall {
  return { ...({} as CrowdCall), seed, goalMet };
}

const PLACED: PlacedCall = {
  sipCallId: 'x',
  endedBy: 'caller',
  error: null,
  endedEarly: false,
  outcome: { goalMet: false, why: 'nothing was said' },
  steps: [],
  greeting: '',
  greetingMs: null,
  postDialDelayMs: 1,
  answeredAtMs: 2,
  rtp: { sent: 1, received: 1, lost: 0, late: 0 },
  saidSamples: new Int16Array(160),
  heardSamples: new Int16Array(80),
};

describe('the output of stress', () => {
  it('is the result, its page, and the calls that were held and missed their goal', () => {
    const folder = join(scratchFolder(), 'new', 'folder');
    const output = StressOutput.open(folder);
    expect(existsSync(folder)).toBe(true);
    output.add(call(1, true), PLACED, null);
    output.add(call(2, false), PLACED, null);
    output.add(call(3, false), null, null);
    output.finish(reportWith({ turns: 7 }));
    expect(readdirSync(folder).sort()).toEqual(['index.html', 'missed-seed-2', 'stress.json']);
    expect(readdirSync(join(folder, 'missed-seed-2')).sort()).toEqual([
      'call.wav',
      'index.html',
      'timeline.json',
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'stress.json'), 'utf8')).turns).toBe(7);
  });

  it('is all that can be written; what cannot is told at the end', () => {
    const folder = scratchFolder();
    const output = StressOutput.open(folder);
    writeFileSync(join(folder, 'missed-seed-1'), 'in the way');
    output.add(call(1, false), PLACED, null);
    output.add(call(2, false), PLACED, null);
    expect(() => output.finish(reportWith({}))).toThrow(/cannot write .*missed-seed-1\/call\.wav: E/);
    expect(readdirSync(folder).sort()).toEqual([
      'index.html',
      'missed-seed-1',
      'missed-seed-2',
      'stress.json',
    ]);
  });

  it('is refused at once where there can be no folder', () => {
    const file = join(scratchFolder(), 'file');
    writeFileSync(file, '');
    expect(() => StressOutput.open(join(file, 'below'))).toThrow(/--out .*file\/below: ENOTDIR/);
  });
});
