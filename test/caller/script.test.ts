/** Caller scripts: every mistake is named with its place, and a seed draws the same words each time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { drawScript, readScript } from '../../src/caller/script.ts';
import { seededRandom } from '../../src/caller/seeded-random.ts';
import { WildfireError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'wildfire-script-'));
const file = join(folder, 'script.json');

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const EXAMPLE = new URL('../../models/embedded/callers/demo.json', import.meta.url);
const STEP = { goal: 'greets', say: 'hello' };

function read(script: unknown): ReturnType<typeof readScript> {
  writeFileSync(file, typeof script === 'string' ? script : JSON.stringify(script));
  return readScript(file);
}

function mistakeIn(script: unknown): string {
  try {
    read(script);
  } catch (error) {
    if (error instanceof WildfireError && error.code === 'USAGE_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was wrong with it');
}

describe('caller script', () => {
  it('fills in what is left out', () => {
    expect(read({ name: 'x', steps: [STEP] })).toEqual({
      name: 'x',
      expectsGreeting: true,
      choices: {},
      steps: [{ ...STEP, expect: [] }],
    });
  });

  it.each([
    ['no JSON', '{ "name": ', /script\.json.*JSON/],
    ['no object', '[]', /script\.json/],
    ['no steps', { name: 'x', steps: [] }, /steps/],
    ['an unknown key', { name: 'x', steps: [STEP], greet: true }, /greet/],
    ['an unknown key of a step', { name: 'x', steps: [{ ...STEP, dtfm: '4' }] }, /steps\.0.*dtfm/],
    ['neither words nor keys', { name: 'x', steps: [{ goal: 'g' }] }, /steps\.0.*"say" or "dtmf"/],
    ['words and keys', { name: 'x', steps: [{ ...STEP, dtmf: '4' }] }, /steps\.0.*"say" or "dtmf"/],
    ['keys that no telephone has', { name: 'x', steps: [{ goal: 'g', dtmf: '4e' }] }, /steps\.0\.dtmf/],
    [
      'a pattern that is none',
      { name: 'x', steps: [{ ...STEP, expect: ['ok', '(ten'] }] },
      /steps\.0\.expect\.1/,
    ],
    ['a choice of nothing', { name: 'x', steps: [STEP], choices: { day: [] } }, /choices\.day/],
    [
      'a negative barge-in',
      { name: 'x', steps: [{ ...STEP, bargeInAfterMs: -1 }] },
      /steps\.0\.bargeInAfterMs/,
    ],
  ])('names the mistake: %s', (_name, script, pattern) => {
    expect(mistakeIn(script)).toMatch(pattern);
  });

  it('names every mistake, one a line', () => {
    expect(mistakeIn({ name: '', steps: [{ goal: '', say: 'x' }] }).split('\n')).toHaveLength(2);
  });

  it('reads the example of the embedded pack, all of whose words can be drawn', () => {
    const script = readScript(fileURLToPath(EXAMPLE));
    for (const { say } of drawScript(script, 3).steps) expect(say ?? '').not.toMatch(/[{}]/);
  });

  it('names a file that is not there', () => {
    expect(() => readScript(join(folder, 'none.json'))).toThrow(/none\.json/);
  });
});

describe('drawing a script', () => {
  const script = read({
    name: 'x',
    choices: { day: ['friday', 'monday', 'sunday'], time: ['seven', 'eight (p.m.)'] },
    steps: [
      { goal: 'g', say: 'on {day} at {time}, {other}', expect: ['{day}', '^at {time}$', 'a{2}'] },
      { goal: 'g', dtmf: '4#', expect: ['{day}'] },
    ],
  });

  it('draws the same words for the same seed, and others for others', () => {
    expect(drawScript(script, 5)).toEqual(drawScript(script, 5));
    const drawn = new Set(Array.from({ length: 50 }, (_, seed) => drawScript(script, seed).steps[0]?.say));
    expect(drawn.size).toBe(6);
  });

  it('uses one choice everywhere, and in patterns as it is written', () => {
    for (let seed = 0; seed < 20; seed++) {
      const [first, second] = drawScript(script, seed).steps;
      const [, day = '', time = ''] = /^on (\w+) at (.*), \{other\}$/.exec(first?.say ?? '') ?? [];
      expect(first?.expect[0]).toBe(day);
      expect(second?.expect[0]).toBe(day);
      expect(`at ${time}`).toMatch(new RegExp(first?.expect[1] ?? '$^'));
      expect(first?.expect[2]).toBe('a{2}');
    }
  });
});

describe('seeded random numbers', () => {
  it('depend on the seed alone and fill [0, 1)', () => {
    const [one, other] = [seededRandom(7), seededRandom(7)];
    const numbers = Array.from({ length: 1000 }, () => one());
    expect(numbers).toEqual(Array.from({ length: 1000 }, () => other()));
    expect(Math.min(...numbers)).toBeLessThan(0.01);
    expect(Math.max(...numbers)).toBeGreaterThan(0.99);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  });
});
