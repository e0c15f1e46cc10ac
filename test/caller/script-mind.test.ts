/** A script as a caller's mind: steps in order whatever is heard, each judged by its patterns. */
import { describe, expect, it } from 'vitest';
import { createScriptMind } from '../../src/caller/script-mind.ts';

const STEPS = [
  { goal: 'asks the day', say: 'a table', expect: ['which day'] },
  { goal: 'takes the keys', dtmf: '4#', expect: [] },
  { goal: 'is interrupted', say: 'no', bargeInAfterMs: 300, expect: ['five'] },
];

function script(): Parameters<typeof createScriptMind>[0] {
  return { name: 'x', expectsGreeting: true, choices: {}, steps: STEPS };
}

describe('a script as a mind', () => {
  it('goes on whatever it hears, and judges what it heard', () => {
    const mind = createScriptMind(script());
    expect(mind.begin('')).toMatchObject({
      kind: 'say',
      purpose: 'asks the day',
      utterance: { text: 'a table' },
    });
    expect(mind.next('Which day?')).toMatchObject({ kind: 'key', digits: '4#', bargeInAfterMs: 300 });
    expect(mind.wasReplyGood).toBe(true);
    expect(mind.outcome).toEqual({ goalMet: false, why: '2 steps of the script were left' });
    expect(mind.interrupt('')).toMatchObject({ kind: 'say', utterance: { text: 'no' } });
    expect(mind.wasReplyGood).toBe(true);
    expect(mind.next('four people')).toEqual({
      kind: 'hangUp',
      goalMet: false,
      why: 'missed: is interrupted',
    });
  });

  it('meets its goal when every step does', () => {
    const mind = createScriptMind(script());
    mind.begin('hello');
    mind.next('which day');
    expect(mind.wantsAnswer('anything')).toBe(true);
    mind.interrupt('so');
    expect(mind.next('five people')).toMatchObject({ kind: 'hangUp', goalMet: true });
  });

  it('does not interrupt where the script does not', () => {
    const mind = createScriptMind(script());
    mind.begin('hello');
    expect(mind.interrupt('which')).toBeNull();
  });

  it('takes no reply for none of its goals', () => {
    const mind = createScriptMind(script());
    mind.begin('hello');
    mind.next('which day');
    mind.next('');
    expect(mind.wasReplyGood).toBe(false);
  });
});
