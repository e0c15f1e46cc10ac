/** Plans of generated callers: repeatable, complete, plain data, in the words of the phrasing asked for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCallerGrammar, plainWords, readCallerGrammar } from '../../src/caller/caller-grammar.ts';
import {
  CALLER_KINDS,
  type CallerPlan,
  planCaller,
  planShowcase,
  type Utterance,
} from '../../src/caller/caller-plan.ts';
import { printedSeed } from '../seeded-random.ts';
import { GRAMMARS, SMALL_GRAMMAR } from './grammars.ts';

describe.each(GRAMMARS)('plans with the %s grammar', (_name, grammar) => {
  const first = printedSeed('caller-plan');
  const seeds = Array.from({ length: 300 }, (_, i) => first + i);

  it('are the same for the same seed, differ between seeds, and are plain data', () => {
    const texts = new Set<string>();
    for (const seed of seeds) {
      const plan = planCaller({ grammar, seed, phrasing: 'heldOut' });
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      expect(planCaller({ grammar, seed, phrasing: 'heldOut' })).toEqual(plan);
      texts.add(JSON.stringify({ ...plan, seed: 0 }));
    }
    expect(texts.size).toBe(seeds.length);
  });

  it('have words without braces or stops for every occasion, and say which slots are in them', () => {
    for (const seed of seeds) {
      const { utterances, goal } = planCaller({
        grammar,
        seed,
        phrasing: seed % 2 === 0 ? 'trained' : 'heldOut',
      });
      for (const utterance of Object.values(utterances).flat()) expectSpeakable(utterance, goal);
      expect(Object.values(utterances).every((list) => list.length > 0)).toBe(true);
    }
  });

  it('say a time that was not understood in other words, where there are others', () => {
    const plans = seeds.map((seed) => planCaller({ grammar, seed, phrasing: 'trained', kinds: ['book'] }));
    const twice = plans.map(({ utterances }) => utterances['change.time'] ?? []);
    const reworded = twice.filter(([first, second]) => first?.spokenSlots[0] !== second?.spokenSlots[0]);
    expect(reworded.length).toBeGreaterThan(0.6 * plans.length);
  });

  it('stay within what lines and voices are made for', () => {
    for (const seed of seeds) {
      const { voice, line, manner } = planCaller({ grammar, seed, phrasing: 'trained' });
      expect(voice.name).toMatch(/^[ab][fm]_[a-z]+$/);
      expect(voice.speed / voice.pitchFactor).toBeGreaterThan(0.7);
      expect(voice.speed / voice.pitchFactor).toBeLessThan(1.4);
      expect(Number.isInteger(Math.round(24_000 * voice.pitchFactor * 100) / 100)).toBe(true);
      if (line.snrDb !== null) expect(line.snrDb).toBeGreaterThanOrEqual(15);
      expect(line.lossPercent).toBeLessThanOrEqual(3);
      expect(Math.max(...manner.thinkMs)).toBeLessThanOrEqual(1200);
    }
  });

  it('have only kinds that were asked for', () => {
    for (const seed of seeds.slice(0, 50)) {
      expect(planCaller({ grammar, seed, phrasing: 'trained', kinds: ['cancel'] }).kind).toBe('cancel');
    }
    const kinds = new Set(seeds.map((seed) => planCaller({ grammar, seed, phrasing: 'trained' }).kind));
    expect([...kinds].sort()).toEqual([...CALLER_KINDS].sort());
  });

  it('change their mind to something else, with the words for both', () => {
    const changing = seeds
      .map((seed) => planCaller({ grammar, seed, phrasing: 'trained', kinds: ['book'] }))
      .filter(({ manner }) => manner.changeOfMind !== null);
    expect(changing.length).toBeGreaterThan(30);
    for (const plan of changing) expectChangeOfMind(plan);
    for (const seed of seeds.slice(0, 50))
      expectChangeOfMind(planShowcase({ grammar, seed, phrasing: 'trained' }));
  });
});

function expectSpeakable(
  { text, spokenSlots, slots, digits, pauses }: Utterance,
  goal: CallerPlan['goal'],
): void {
  expect(text).toBe(plainWords(text));
  expect(text).not.toBe('');
  for (const spoken of spokenSlots) expect(` ${text} `).toContain(` ${spoken} `);
  expect(Object.values(slots).every((value) => value !== '')).toBe(true);
  if (digits !== undefined) expect(digits).toEqual(goal.digits);
  for (const { afterWords } of pauses) expect(afterWords).toBeLessThan(text.split(' ').length);
}

function expectChangeOfMind({ manner, goal, utterances }: CallerPlan): void {
  const { slot, from } = manner.changeOfMind ?? { slot: 'day', from: '' };
  expect(from).not.toBe(goal.slots[slot]);
  expect(utterances[`answer.${slot}`]?.[0]?.slots[slot]).toBe(from);
  expect(utterances[`change.${slot}`]?.[0]?.slots[slot]).toBe(goal.slots[slot]);
}

describe('the grammar file', () => {
  it('names the file and every mistake', () => {
    const { yes: _yes, ...phrases } = SMALL_GRAMMAR.phrases;
    const broken = {
      ...SMALL_GRAMMAR,
      phrases: { ...phrases, no: { trained: ['{nonsense}'], heldOut: [] } },
      agent: { ...SMALL_GRAMMAR.agent, confirm: 'Is that correct?' },
    };
    const parse = (): unknown => parseCallerGrammar(broken, 'g.json');
    expect(parse).toThrow(/g\.json: phrases\.no\.trained\.0: placeholders are/);
    expect(parse).toThrow(/g\.json: agent\.confirm: needs all four slots/);
    expect(() => parseCallerGrammar({ ...SMALL_GRAMMAR, phrases }, 'g.json')).toThrow(/has no "yes"/);
  });

  it('says that a file is no grammar', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wildfire-grammar-'));
    const file = join(folder, 'grammar.json');
    expect(() => readCallerGrammar(file)).toThrow(/cannot read the caller grammar .*grammar\.json/);
    writeFileSync(file, '{ "schemaVersion": 2 }');
    expect(() => readCallerGrammar(file)).toThrow(/schemaVersion/);
    rmSync(folder, { recursive: true });
  });
});
