/**
 * The states of one call at the hearing service, as data. Thread: main. Pure. A call that has never been heard is
 * forgotten when its connection fails, and the next REGISTER begins anew; one that was heard is kept for a while.
 */
export type HearingState =
  | 'dialling'
  | 'awaitingHello'
  | 'open'
  | 'lost'
  | 'redialling'
  | 'awaitingHelloAgain'
  | 'ended';

export type HearingEvent =
  | 'register'
  | 'connected'
  | 'connectFailed'
  | 'hello'
  /** No HELLO in time, or somebody else's. */
  | 'helloWrong'
  | 'legLost'
  | 'legBye'
  | 'bye'
  | 'graceElapsed';

export type HearingAction = 'dial' | 'awaitHello' | 'begin' | 'startGrace' | 'end';

export interface HearingCell {
  readonly next: HearingState;
  readonly actions: readonly HearingAction[];
}

type HearingTable = Readonly<Record<HearingState, Readonly<Partial<Record<HearingEvent, HearingCell>>>>>;

function go(next: HearingState, ...actions: readonly HearingAction[]): HearingCell {
  return { next, actions };
}

const END = go('ended', 'end');

/** State x event -> next state, actions. An event without a cell changes nothing: duplicates are harmless. */
export const HEARING_TABLE: HearingTable = {
  dialling: { connected: go('awaitingHello', 'awaitHello'), connectFailed: END, bye: END },
  awaitingHello: { hello: go('open', 'begin'), helloWrong: END, legLost: END, legBye: END, bye: END },
  open: { legLost: go('lost', 'startGrace'), legBye: END, bye: END },
  lost: { register: go('redialling', 'dial'), graceElapsed: END, bye: END },
  redialling: {
    connected: go('awaitingHelloAgain', 'awaitHello'),
    connectFailed: go('lost'),
    graceElapsed: END,
    bye: END,
  },
  awaitingHelloAgain: {
    hello: go('open', 'begin'),
    helloWrong: go('lost'),
    legLost: go('lost'),
    legBye: END,
    graceElapsed: END,
    bye: END,
  },
  ended: {},
};

/** One step. @returns null when the event means nothing in this state */
export function hearingStep(state: HearingState, event: HearingEvent): HearingCell | null {
  const row = HEARING_TABLE[state];
  return Object.hasOwn(row, event) ? (row[event] ?? null) : null;
}
