/** Whether a conversation ended right, by the agent's own words. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endsRight, patternOf } from '../../../bench/models/final-slots.ts';
import { readCallerGrammar } from '../../../src/caller/caller-grammar.ts';
import { type CallerPlan, planCaller } from '../../../src/caller/caller-plan.ts';

const grammar = readCallerGrammar(
  fileURLToPath(new URL('../../../models/embedded/callers/grammar.json', import.meta.url)),
);
const someone = planCaller({ grammar, seed: 1, phrasing: 'heldOut' });
const plan = (kind: CallerPlan['kind'], goal: CallerPlan['goal']): CallerPlan => ({ ...someone, kind, goal });

const booking = plan('book', { slots: { day: 'friday', time: 'seven thirty', party: 'two', name: 'baker' } });
const confirm = (day: string): string =>
  `So that is a table for two people ${day} at seven thirty, under the name baker. Is that correct?`;

describe('a booking ends right', () => {
  it.each([
    ['confirmed and booked', [confirm('on friday'), grammar.agent.booked], true],
    ['corrected on the way', [confirm('on sunday'), confirm('on friday'), grammar.agent.booked], true],
    [
      'broken after the right confirmation',
      [confirm('on friday'), confirm('on sunday'), grammar.agent.booked],
      false,
    ],
    ['wrong', [confirm('tomorrow'), grammar.agent.booked], false],
    ['never booked', [confirm('on friday')], false],
    ['booked before it was confirmed', [grammar.agent.booked, confirm('on friday')], false],
    ['never confirmed', [grammar.agent.booked], false],
  ])('%s', (_name, replies, isRight) => {
    expect(endsRight(booking, replies, grammar)).toBe(isRight);
  });
});

it('a call back, a cancelling and a question end right', () => {
  const { callBack, cancelled, info } = grammar.agent;
  const callback = plan('callback', { slots: {}, digits: ['one', 'zero', 'two'] });
  expect(endsRight(callback, ['I have one zero two. Is that correct?', callBack], grammar)).toBe(true);
  expect(endsRight(callback, ['I have one zero zero two. Is that correct?', callBack], grammar)).toBe(false);
  const cancel = plan('cancel', { slots: { name: 'hall' } });
  expect(endsRight(cancel, ['Do you want to cancel the booking of hall?', cancelled], grammar)).toBe(true);
  expect(endsRight(cancel, ['Do you want to cancel the booking of wall?', cancelled], grammar)).toBe(false);
  const question = plan('info', { slots: {}, topic: 'parking' });
  expect(endsRight(question, [`${info.parking} Is there anything else?`], grammar)).toBe(true);
  expect(endsRight(question, [info.dogs!], grammar)).toBe(false);
});

it('finds a template with two gaps side by side', () => {
  expect(
    patternOf('a table for {party} {day} at {time}.').test('a table for two people on friday at noon'),
  ).toBe(true);
  expect(patternOf('a table for {party} {day} at {time}.').test('a table for two at noon')).toBe(false);
});
