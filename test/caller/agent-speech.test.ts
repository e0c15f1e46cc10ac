/** What a caller understands of the agent: every text of the grammar, several at once, misheard, cut off, and garbage. */
import { describe, expect, it } from 'vitest';
import { type AgentAct, agentUnderstanding, PLAIN_ACTS } from '../../src/caller/agent-speech.ts';
import { type CallerGrammar, plainWords, SLOTS } from '../../src/caller/caller-grammar.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { GRAMMARS, SMALL_GRAMMAR } from './grammars.ts';

function confirmation({ agent }: CallerGrammar, slots: Record<string, string>): string {
  return agent.confirm
    .replace('{party}', agent.sayParty[slots.party ?? ''] ?? '')
    .replace('{day}', agent.sayDay[slots.day ?? ''] ?? '')
    .replace('{time}', slots.time ?? '')
    .replace('{name}', slots.name ?? '');
}

describe.each(GRAMMARS)('with the %s grammar', (_name, grammar) => {
  const understand = agentUnderstanding(grammar);
  const { agent, slots } = grammar;

  it.each(PLAIN_ACTS)('%s is understood', (act) => {
    expect(understand(plainWords(agent[act])).map((one) => one.act)).toContain(act);
  });

  it('every question and every answer is understood', () => {
    for (const slot of SLOTS) expect(understand(agent.ask[slot])).toEqual([{ act: 'ask', slot }]);
    for (const [topic, text] of Object.entries(agent.info)) {
      expect(understand(`${text} ${agent.anythingElse}`)).toEqual(
        expect.arrayContaining([{ act: 'info', topic }, { act: 'anythingElse' }]),
      );
    }
  });

  it('every value of every slot is read off a confirmation', () => {
    const usual = Object.fromEntries(SLOTS.map((slot) => [slot, slots[slot][0]?.normal ?? '']));
    for (const slot of SLOTS) {
      for (const { normal } of slots[slot]) {
        const wanted = { ...usual, [slot]: normal };
        expect(understand(confirmation(grammar, wanted))[0]).toEqual({ act: 'confirm', slots: wanted });
      }
    }
  });

  it('digits of any number are read off a read-back', () => {
    const random = new SeededRandom(printedSeed('agent-speech digits'));
    for (let round = 0; round < 200; round++) {
      const digits = Array.from({ length: random.integer(3, 11) }, () => random.pick(grammar.digits).normal);
      expect(understand(agent.readBack.replace('{digits}', digits.join(' ')))[0]).toEqual({
        act: 'readBack',
        digits,
      });
    }
  });

  it('neither throws nor dawdles on garbage', () => {
    const random = new SeededRandom(printedSeed('agent-speech garbage'));
    const words = plainWords(Object.values(agent).join(' ')).split(' ');
    for (let round = 0; round < 200; round++) {
      const text = random.isTrue(0.5)
        ? Array.from({ length: random.integer(0, 300) }, () => random.pick(words)).join(' ')
        : String.fromCodePoint(
            ...Array.from({ length: random.integer(0, 100) }, () => random.integer(1, 0xd7ff)),
          );
      expect(Array.isArray(understand(text, { isPartial: random.isTrue(0.5) }))).toBe(true);
    }
  });
});

const CONFIRM =
  'so that is a table for two people on friday at seven thirty under the name baker is that correct';
const SLOTS_OF_CONFIRM = { day: 'friday', time: 'seven thirty', party: 'two', name: 'baker' };

describe('what was heard', () => {
  const understand = agentUnderstanding(SMALL_GRAMMAR);

  it.each<[string, AgentAct[]]>([
    ['okay on friday what time would you like to come', [{ act: 'ask', slot: 'time' }]],
    ['sorry what is your phone number', [{ act: 'askPhone' }]],
    ['thank you taylor for how many people', [{ act: 'ask', slot: 'party' }]],
    [
      'great your table is hooked is there anything else i can do',
      [{ act: 'booked' }, { act: 'anythingElse' }],
    ],
    ['your table is booked', [{ act: 'booked' }]],
    ['do you want to cancel a booking of baker', [{ act: 'askCancel', name: 'baker' }]],
    ['do you want to cancel the booking of mumble', [{ act: 'askCancel', name: null }]],
    ['is that correct', [{ act: 'isThatCorrect' }]],
    ['thank you for calling goodbye', [{ act: 'goodbye' }, { act: 'goodbye' }]],
    ['the weather is nice', []],
    ['', []],
  ])('"%s"', (heard, acts) => {
    expect(understand(heard)).toEqual(acts);
  });

  it.each([
    [CONFIRM, SLOTS_OF_CONFIRM],
    [CONFIRM.replace('so that is', 'that is'), SLOTS_OF_CONFIRM],
    [CONFIRM.replace('under', 'and'), SLOTS_OF_CONFIRM],
    [CONFIRM.replace('so that is a table for', ''), SLOTS_OF_CONFIRM],
    [CONFIRM.replace('on friday', 'friday'), SLOTS_OF_CONFIRM],
    [CONFIRM.replace('baker', 'bagel'), { ...SLOTS_OF_CONFIRM, name: undefined }],
    [CONFIRM.replace('seven thirty', 'seven'), { ...SLOTS_OF_CONFIRM, time: 'seven' }],
  ])('reads off "%s"', (heard, slots) => {
    const [act] = understand(heard);
    expect(act).toMatchObject({ act: 'confirm' });
    expect(act?.act === 'confirm' ? { ...SLOTS_OF_CONFIRM, ...noSlots(), ...act.slots } : null).toEqual(
      slots,
    );
  });

  it('takes what is no digit for an unknown one', () => {
    expect(understand('i have two for five seven is that correct')[0]).toEqual({
      act: 'readBack',
      digits: ['two', '?', 'five', 'seven'],
    });
  });

  it('understands a beginning when it is told that it is one', () => {
    expect(understand('so that is a table for two', { isPartial: true })).toMatchObject([{ act: 'confirm' }]);
    expect(understand('for how many people', { isPartial: true })).toEqual([{ act: 'ask', slot: 'party' }]);
  });
});

function noSlots(): Record<string, undefined> {
  return { day: undefined, time: undefined, party: undefined, name: undefined };
}
