/** The mind of generated callers against simulated agents: perfect ones, mistaken ones, and ones that talk nonsense. */
import { describe, expect, it } from 'vitest';
import { SLOTS } from '../../src/caller/caller-grammar.ts';
import { INTENTS } from '../../src/caller/caller-intents.ts';
import { type CallerAction, createCallerMind, MAX_TURNS } from '../../src/caller/caller-mind.ts';
import {
  CALLER_KINDS,
  type CallerKind,
  type CallerPlan,
  planCaller,
  planShowcase,
} from '../../src/caller/caller-plan.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { GRAMMARS, SMALL_GRAMMAR } from './grammars.ts';
import { type AgentFaults, SimulatedAgent } from './simulated-agent.ts';

const SEEDS = 500;
type HangUp = Extract<CallerAction, { kind: 'hangUp' }>;

interface Talk {
  readonly actions: CallerAction[];
  readonly heard: string[];
  readonly end: HangUp;
  readonly missed: string[];
}

/** A whole call in text. @param hear what the caller makes of what the agent says */
function talkWith(
  plan: CallerPlan,
  mind: ReturnType<typeof createCallerMind>,
  agent: SimulatedAgent,
  hear: (text: string) => string,
): Talk {
  const talk: Talk = {
    actions: [],
    heard: [agent.greeting],
    missed: [],
    end: { kind: 'hangUp', goalMet: false, why: '' },
  };
  let action = mind.begin(hear(agent.greeting));
  while (action.kind !== 'hangUp') {
    talk.actions.push(action);
    const reply = agent.reply(action, { kind: plan.kind, interlude: plan.manner.interlude });
    talk.heard.push(reply);
    const before = action;
    action = mind.next(hear(reply));
    if (!mind.wasReplyGood) talk.missed.push(`${before.purpose}: ${reply}`);
  }
  return { ...talk, end: action };
}

function said(talk: Talk): string {
  return talk.actions
    .map((action, i) => {
      const words = action.kind === 'say' ? action.utterance.text : JSON.stringify(action);
      return `caller: ${words}\nagent:  ${talk.heard[i + 1]}`;
    })
    .join('\n');
}

describe.each(GRAMMARS)('with the %s grammar', (_name, grammar) => {
  const run = (plan: CallerPlan, faults: AgentFaults = {}, hear = (text: string): string => text): Talk =>
    talkWith(plan, createCallerMind(plan, grammar), new SimulatedAgent(grammar, faults), hear);

  it.each(CALLER_KINDS)('every %s caller reaches its goal with an agent that understands', (kind) => {
    const first = printedSeed(`caller-mind perfect ${kind}`);
    for (let seed = first; seed < first + SEEDS; seed++) {
      const phrasing = seed % 2 === 0 ? 'heldOut' : 'trained';
      const plan = planCaller({ grammar, seed, phrasing, kinds: [kind] });
      const result = run(plan);
      expect(result.end, `seed ${seed}\n${said(result)}`).toMatchObject({ goalMet: true });
      expect(result.missed, `seed ${seed}\n${said(result)}`).toEqual([]);
      expect(result.actions.length).toBeLessThanOrEqual(12);
    }
  });

  it('the showcase always has a question, a booking slot by slot, keys, a change of mind and a goodbye', () => {
    const first = printedSeed('caller-mind showcase');
    for (let seed = first; seed < first + 100; seed++) {
      const result = run(planShowcase({ grammar, seed, phrasing: 'trained' }));
      expect(result.end).toMatchObject({ goalMet: true });
      expect(result.missed).toEqual([]);
      expect(result.actions.map((action) => (action.kind === 'hangUp' ? '' : action.occasion))).toEqual([
        ...['interlude', 'open', 'answer.day', 'answer.time', 'answer.party', 'answer.name'],
        ...['change.party', 'yes', 'noMore'],
      ]);
      expect(result.actions[4]).toMatchObject({ kind: 'key' });
      expect(result.actions[5]).toMatchObject({ bargeInAfterMs: 1200 });
    }
  });

  it.each(SLOTS)('corrects %s when the agent takes it for another value', (slot) => {
    for (let seed = 1; seed <= 100; seed++) {
      const plan = planCaller({ grammar, seed, phrasing: 'heldOut', kinds: ['book'] });
      const result = run(plan, { swaps: slot });
      expect(result.end, `seed ${seed}\n${said(result)}`).toMatchObject({ goalMet: true });
      expect(result.actions.some((one) => one.kind === 'say' && one.occasion === `change.${slot}`)).toBe(
        true,
      );
    }
  });

  it('corrects a wrong name before it cancels, and a wrong number before it is called back', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const cancel = planCaller({ grammar, seed, phrasing: 'trained', kinds: ['cancel'] });
      expect(run(cancel, { swaps: 'name' }).end, `seed ${seed}`).toMatchObject({ goalMet: true });
      const callback = planCaller({ grammar, seed, phrasing: 'trained', kinds: ['callback'] });
      expect(run(callback, { swapsDigit: true }).end, `seed ${seed}`).toMatchObject({ goalMet: true });
    }
  });

  it('never takes a wrong booking for good', () => {
    for (let seed = 1; seed <= 80; seed++) {
      const plan = planCaller({ grammar, seed, phrasing: 'trained', kinds: ['book'] });
      for (const faults of [
        { confirmsWrongAlways: true },
        { confirmsWrongAlways: true, booksAnyway: true },
      ]) {
        const result = run(plan, faults);
        expect(result.end, said(result)).toMatchObject({ goalMet: false });
        expect(result.actions.length).toBeLessThanOrEqual(MAX_TURNS);
      }
    }
  });

  it('gets there although the agent apologises now and then', () => {
    const random = new SeededRandom(printedSeed('caller-mind apologies'));
    let met = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const plan = planCaller({ grammar, seed, phrasing: 'trained' });
      if (run(plan, { apologises: () => random.isTrue(0.1) }).end.goalMet) met += 1;
    }
    expect(met).toBeGreaterThanOrEqual(196);
  });

  it('gets there although some words of the agent are misheard', () => {
    const random = new SeededRandom(printedSeed('caller-mind misheard'));
    const words = grammar.agent.greeting.split(' ');
    const hear = (text: string): string =>
      text
        .split(' ')
        .map((word) => (random.isTrue(0.02) ? random.pick(words) : word))
        .filter(() => !random.isTrue(0.02))
        .join(' ');
    let met = 0;
    for (let seed = 1; seed <= 200; seed++) {
      if (run(planCaller({ grammar, seed, phrasing: 'trained' }), {}, hear).end.goalMet) met += 1;
    }
    expect(met).toBeGreaterThanOrEqual(190);
  });

  it('hangs up within its turns whatever it hears', () => {
    const random = new SeededRandom(printedSeed('caller-mind garbage'));
    const { ask, info, sayDay, sayParty, ...texts } = grammar.agent;
    const pieces = [...Object.values(texts), ...Object.values(ask), ...Object.values(info)].flatMap((text) =>
      text.split(' '),
    );
    const garbage = (): string =>
      random.isTrue(0.3)
        ? String.fromCodePoint(
            ...Array.from({ length: random.integer(0, 40) }, () => random.integer(1, 0xd7ff)),
          )
        : Array.from({ length: random.integer(0, 60) }, () => random.pick(pieces)).join(' ');
    for (let seed = 1; seed <= 120; seed++) {
      const plan = planCaller({ grammar, seed, phrasing: 'trained' });
      const mind = createCallerMind(plan, grammar);
      let action = mind.begin(garbage());
      let turns = 0;
      for (; action.kind !== 'hangUp'; turns++) {
        expect(turns).toBeLessThan(MAX_TURNS);
        if (random.isTrue(0.2)) mind.interrupt(garbage());
        mind.wantsAnswer(garbage());
        action = mind.next(garbage());
      }
      expect(action.why).not.toBe('');
    }
  });
});

describe('the table of intents', () => {
  it('has an intent for everything in every phase', () => {
    const prompts = Object.keys(INTENTS.seeking).sort();
    for (const row of Object.values(INTENTS)) {
      expect(Object.keys(row).sort()).toEqual(prompts);
      expect(Object.values(row).every((intent) => intent.length > 0)).toBe(true);
    }
  });
});

function bookingMind(manner: Partial<CallerPlan['manner']> = {}): {
  mind: ReturnType<typeof createCallerMind>;
  plan: CallerPlan;
} {
  const plan = planShowcase({ grammar: SMALL_GRAMMAR, seed: 1, phrasing: 'trained' });
  const own = { ...plan, manner: { ...plan.manner, interlude: null, dtmf: [], ...manner } } as CallerPlan;
  return { plan: own, mind: createCallerMind(own, SMALL_GRAMMAR) };
}

describe('turn by turn', () => {
  const { agent } = SMALL_GRAMMAR;

  it('says again what was not understood, in other words', () => {
    const { mind, plan } = bookingMind();
    const open = mind.begin(agent.greeting);
    const again = mind.next(agent.apology);
    expect([open, again]).toMatchObject(
      plan.utterances.open?.map((utterance) => ({ kind: 'say', occasion: 'open', utterance })) ?? [],
    );
    expect(mind.wasReplyGood).toBe(false);
  });

  it('asks to repeat what it could not follow, then says its own part again', () => {
    const { mind } = bookingMind();
    mind.begin(agent.greeting);
    expect(mind.next('well well well')).toMatchObject({ occasion: 'repeat' });
    expect(mind.next('well well well')).toMatchObject({ occasion: 'open' });
  });

  it('gives up after five misunderstandings in a row', () => {
    const { mind } = bookingMind();
    mind.begin(agent.greeting);
    for (let i = 0; i < 4; i++) expect(mind.next(agent.apology).kind).toBe('say');
    expect(mind.next(agent.apology)).toEqual({
      kind: 'hangUp',
      goalMet: false,
      why: 'misunderstood 5 times in a row',
    });
  });

  it('lets go of what it only said in between when that was not understood twice', () => {
    const { mind } = bookingMind({ interlude: { at: 'open', kind: 'info', topic: 'hours' } });
    expect(mind.begin(agent.greeting)).toMatchObject({ occasion: 'interlude' });
    expect(mind.next(agent.apology)).toMatchObject({ occasion: 'interlude' });
    expect(mind.next(agent.apology)).toMatchObject({ occasion: 'open' });
  });

  it('talks over the confirmation only when it is one', () => {
    const { mind } = bookingMind();
    mind.begin(agent.greeting);
    for (const slot of ['day', 'time', 'party', 'name'] as const) mind.next(agent.ask[slot]);
    expect(mind.interrupt('okay what name should i')).toBeNull();
    expect(mind.interrupt('so that is a table for')).toMatchObject({ kind: 'say', occasion: 'change.party' });
    expect(mind.wasReplyGood).toBe(true);
    expect(mind.interrupt('so that is a table for')).toBeNull();
  });

  it('waits for the end of a question that has only begun', () => {
    const { mind } = bookingMind();
    expect(mind.wantsAnswer('okay on friday')).toBe(false);
    expect(mind.wantsAnswer('okay on friday what time would you like to come')).toBe(true);
    expect(mind.wantsAnswer('great your table is booked')).toBe(false);
    expect(
      mind.wantsAnswer('so that is a table for two people on friday at seven under the name baker'),
    ).toBe(false);
    expect(mind.wantsAnswer('')).toBe(false);
  });

  it('tells a booking without the right confirmation from a good one', () => {
    const { mind } = bookingMind({ changeOfMind: null, bargeIn: null });
    mind.begin(agent.greeting);
    expect(mind.next(agent.booked)).toMatchObject({ occasion: 'noMore' });
    expect(mind.next(agent.goodbye)).toEqual({ kind: 'hangUp', goalMet: false, why: 'booked as null' });
  });
});

describe('what kinds there are', () => {
  it('come in their shares', () => {
    const counts = new Map<CallerKind, number>();
    for (let seed = 1; seed <= 1000; seed++) {
      const { kind } = planCaller({ grammar: SMALL_GRAMMAR, seed, phrasing: 'trained' });
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    expect(counts.get('book')).toBeGreaterThan(350);
    expect(counts.get('callback')).toBeGreaterThan(200);
    expect(counts.get('cancel')).toBeGreaterThan(150);
    expect(counts.get('info')).toBeGreaterThan(100);
  });
});
