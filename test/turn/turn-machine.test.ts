import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  accepts,
  renderTurnDiagram,
  renderTurnTable,
  step,
  TURN_STATES,
  TURN_TABLE,
  type TurnEvent,
  type TurnState,
} from '../../src/turn/turn-machine.ts';

const ALL_EVENTS = [
  ...new Set(TURN_STATES.flatMap((state) => Object.keys(TURN_TABLE[state]))),
] as TurnEvent[];
const LIVE_STATES = TURN_STATES.filter((state) => state !== 'ended');

function reachableFrom(start: TurnState): Set<TurnState> {
  const seen = new Set<TurnState>([start]);
  for (const state of seen) for (const cell of Object.values(TURN_TABLE[state])) seen.add(cell.next);
  return seen;
}

describe('every cell', () => {
  for (const state of TURN_STATES) {
    for (const event of ALL_EVENTS) {
      const cell = TURN_TABLE[state][event];
      if (cell === undefined) {
        test(`${state} ignores ${event}`, () => {
          expect(step(state, event)).toEqual({ next: state, actions: [] });
          expect(accepts(state, event)).toBe(false);
        });
      } else {
        test(`${state} on ${event} goes to ${cell.next}`, () => {
          expect(step(state, event)).toBe(cell);
          expect(TURN_STATES).toContain(cell.next);
          expect(new Set(cell.actions).size).toBe(cell.actions.length);
        });
      }
    }
  }

  test('an event that the table does not know changes nothing', () => {
    for (const state of TURN_STATES) {
      expect(step(state, 'toString' as TurnEvent)).toEqual({ next: state, actions: [] });
      expect(step(state, 'noSuchEvent' as TurnEvent)).toEqual({ next: state, actions: [] });
    }
  });
});

describe('invariants', () => {
  test('every state is reached from idle and every live state reaches the end', () => {
    expect([...reachableFrom('idle')].sort()).toEqual([...TURN_STATES].sort());
    for (const state of LIVE_STATES) expect(reachableFrom(state)).toContain('ended');
  });

  test('hang-up ends every live state at once, and nothing leaves the end', () => {
    for (const state of LIVE_STATES) expect(step(state, 'hangup').next).toBe('ended');
    expect(TURN_TABLE.ended).toEqual({});
  });

  test('leaving a state in which work is under way cancels it unless the work is done', () => {
    const done: readonly TurnEvent[] = [
      ...(['transcriptReady', 'transcriptEmpty', 'transcriptUnclear', 'falseBargeIn'] as const),
      ...(['firstSamplePlayed', 'replyDone', 'farewell'] as const),
    ];
    const cancelOf = {
      transcribing: 'cancelTranscription',
      thinking: 'cancelReply',
      speaking: 'cancelReply',
      closing: 'cancelReply',
    } as const;
    for (const state of ['transcribing', 'thinking', 'speaking', 'closing'] as const) {
      for (const [event, cell] of Object.entries(TURN_TABLE[state])) {
        if (!done.includes(event as TurnEvent))
          expect(cell.actions, `${state} ${event}`).toContain(cancelOf[state]);
      }
    }
  });

  test('what was heard is settled before the ring is flushed, and cancelling comes before what starts', () => {
    const order = [
      'keepHeardWords',
      'cancelTranscription',
      'cancelReply',
      'flushDownlink',
      'retractTurn',
      ...['startTranscription', 'startThinking', 'greet', 'askAgain', 'promptNoInput', 'resumeReply'],
      ...['apologise', 'sayGoodbye', 'hangUp'],
    ];
    for (const state of TURN_STATES) {
      for (const cell of Object.values(TURN_TABLE[state])) {
        const places = cell.actions.map((action) => order.indexOf(action));
        expect(places).not.toContain(-1);
        expect(places).toEqual([...places].sort((a, b) => a - b));
      }
    }
  });

  test('whoever waits for a reply is answered by a sound or listens: no cell leads to silence without a deadline', () => {
    const speaks = [
      'greet',
      'askAgain',
      'promptNoInput',
      'resumeReply',
      'apologise',
      'sayGoodbye',
      'startThinking',
    ];
    for (const state of LIVE_STATES) {
      for (const [event, cell] of Object.entries(TURN_TABLE[state])) {
        const isNewWait = ['thinking', 'closing'].includes(cell.next) && event !== 'farewell';
        if (isNewWait) expect(speaks, `${state} ${event}`).toContain(cell.actions.at(-1));
      }
    }
  });
});

describe('the printed table', () => {
  test('docs/turn-machine.md is the table', () => {
    const printed = readFileSync(new URL('../../docs/turn-machine.md', import.meta.url), 'utf8');
    expect(printed).toContain(renderTurnTable());
    expect(printed).toContain(renderTurnDiagram());
  });
});
