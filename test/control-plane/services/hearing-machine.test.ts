/** The states of a call at Whisper: every row of the table, and that nothing else changes anything. */
import { describe, expect, it } from 'vitest';
import {
  HEARING_TABLE,
  type HearingEvent,
  type HearingState,
  hearingStep,
} from '../../../src/control-plane/services/hearing-machine.ts';

const STATES = Object.keys(HEARING_TABLE) as HearingState[];
const EVENTS: readonly HearingEvent[] = [
  'register',
  'connected',
  'connectFailed',
  'hello',
  'helloWrong',
  'legLost',
  'legBye',
  'bye',
  'graceElapsed',
];

/** The states that a row of events leads through. */
function walk(...events: readonly HearingEvent[]): HearingState[] {
  let state: HearingState = 'dialling';
  return events.map((event) => {
    state = hearingStep(state, event)?.next ?? state;
    return state;
  });
}

describe('a call at Whisper', () => {
  it('goes from REGISTER to speech, is lost, found again, and ended', () => {
    expect(walk('connected', 'hello', 'legLost', 'register', 'connected', 'hello', 'bye')).toEqual([
      'awaitingHello',
      'open',
      'lost',
      'redialling',
      'awaitingHelloAgain',
      'open',
      'ended',
    ]);
  });

  it('is forgotten when it cannot be reached the first time, and kept when it has been heard before', () => {
    expect(walk('connectFailed')).toEqual(['ended']);
    expect(walk('connected', 'hello', 'legLost', 'register', 'connectFailed').at(-1)).toBe('lost');
    expect(walk('connected', 'helloWrong')).toEqual(['awaitingHello', 'ended']);
  });

  it('takes REGISTER for a duplicate in every state but one', () => {
    expect(STATES.filter((state) => hearingStep(state, 'register') !== null)).toEqual(['lost']);
  });

  it('ends by BYE from everywhere, once', () => {
    for (const state of STATES) {
      expect(hearingStep(state, 'bye')?.next ?? state).toBe('ended');
      const ends = EVENTS.filter((event) => hearingStep(state, event)?.actions.includes('end'));
      for (const event of ends) expect(hearingStep(state, event)?.next).toBe('ended');
    }
    for (const event of EVENTS) expect(hearingStep('ended', event)).toBeNull();
  });
});
