/**
 * The turn machine as data: state x event -> next state and action words, a pure runner, and the printed table.
 * Thread: main. Pure. Which event a situation is (a guard) is decided in turn-policy.ts, never here.
 * Walk: "One turn" and "One barge-in".
 */

export type TurnState =
  /** Not answered yet. */
  | 'idle'
  /** The floor is the caller's and he is silent. */
  | 'listening'
  | 'hearing'
  /** The caller stopped; it is not yet sure that he has finished. */
  | 'endpointing'
  | 'transcribing'
  /** A reply is being made (LLaMA, or a fixed prompt); none of it was played yet. */
  | 'thinking'
  | 'speaking'
  /** The caller is pressing keys. */
  | 'keying'
  /** The goodbye is being said; then the call ends. */
  | 'closing'
  /** The goodbye is out; the far side's jitter buffer still plays it. */
  | 'leaving'
  | 'ended';

export type TurnEvent =
  | 'answered'
  | 'answeredSilently'
  | 'speechStarted'
  | 'speechStopped'
  | 'endpointReached'
  /** The caller spoke over the reply. */
  | 'bargeInAccepted'
  /** The caller went on before he heard any of the reply: the turn had been cut off too early. */
  | 'callerResumed'
  | 'transcriptReady'
  /** Nothing was said: a noise. */
  | 'transcriptEmpty'
  /** Something was said that could not be understood. */
  | 'transcriptUnclear'
  /** The barge-in was a noise or a backchannel: the reply goes on. */
  | 'falseBargeIn'
  | 'digitPressed'
  | 'digitsEntered'
  | 'digitsCleared'
  | 'firstSamplePlayed'
  /** The last sample of the reply was sent. */
  | 'replyDone'
  | 'noInputTimeout'
  | 'noInputExhausted'
  | 'turnFailed'
  /** Too many failed or endless turns in a row. */
  | 'turnsExhausted'
  /** The reply under way is the last one. */
  | 'farewell'
  | 'lingerElapsed'
  | 'hangup';

export type TurnActionKind =
  | 'greet'
  | 'startTranscription'
  | 'cancelTranscription'
  | 'startThinking'
  | 'cancelReply'
  | 'flushDownlink'
  | 'keepHeardWords'
  | 'retractTurn'
  | 'resumeReply'
  | 'askAgain'
  | 'promptNoInput'
  | 'apologise'
  | 'sayGoodbye'
  | 'hangUp';

export interface TurnCell {
  readonly next: TurnState;
  /** In order: cancelling comes before what starts anew. */
  readonly actions: readonly TurnActionKind[];
}

export type TurnTable = Readonly<Record<TurnState, Readonly<Partial<Record<TurnEvent, TurnCell>>>>>;

function go(next: TurnState, ...actions: readonly TurnActionKind[]): TurnCell {
  return { next, actions };
}

// Heard words are kept before the flush, because the flush lets the read index move on.
const STOP_REPLY = ['cancelReply', 'flushDownlink'] as const;
const STOP_SPEECH = ['keepHeardWords', 'cancelReply', 'flushDownlink'] as const;

export const TURN_TABLE: TurnTable = {
  idle: {
    answered: go('thinking', 'greet'),
    answeredSilently: go('listening'),
    hangup: go('ended'),
  },
  listening: {
    speechStarted: go('hearing'),
    digitPressed: go('keying'),
    noInputTimeout: go('thinking', 'promptNoInput'),
    noInputExhausted: go('closing', 'sayGoodbye'),
    hangup: go('ended'),
  },
  hearing: {
    speechStopped: go('endpointing'),
    endpointReached: go('transcribing', 'startTranscription'),
    digitPressed: go('keying'),
    turnsExhausted: go('closing', 'sayGoodbye'),
    hangup: go('ended'),
  },
  endpointing: {
    speechStarted: go('hearing'),
    endpointReached: go('transcribing', 'startTranscription'),
    digitPressed: go('keying'),
    turnsExhausted: go('closing', 'sayGoodbye'),
    hangup: go('ended'),
  },
  transcribing: {
    callerResumed: go('hearing', 'cancelTranscription'),
    bargeInAccepted: go('hearing', 'cancelTranscription'),
    transcriptReady: go('thinking', 'startThinking'),
    transcriptEmpty: go('listening'),
    transcriptUnclear: go('thinking', 'askAgain'),
    falseBargeIn: go('thinking', 'resumeReply'),
    digitPressed: go('keying', 'cancelTranscription'),
    turnFailed: go('thinking', 'cancelTranscription', 'apologise'),
    turnsExhausted: go('closing', 'cancelTranscription', 'sayGoodbye'),
    hangup: go('ended', 'cancelTranscription'),
  },
  thinking: {
    callerResumed: go('hearing', ...STOP_REPLY, 'retractTurn'),
    bargeInAccepted: go('hearing', ...STOP_SPEECH),
    firstSamplePlayed: go('speaking'),
    replyDone: go('listening', 'keepHeardWords'),
    digitPressed: go('keying', ...STOP_SPEECH),
    turnFailed: go('thinking', ...STOP_SPEECH, 'apologise'),
    turnsExhausted: go('closing', ...STOP_SPEECH, 'sayGoodbye'),
    farewell: go('closing'),
    hangup: go('ended', ...STOP_SPEECH),
  },
  speaking: {
    callerResumed: go('hearing', ...STOP_REPLY, 'retractTurn'),
    bargeInAccepted: go('hearing', ...STOP_SPEECH),
    replyDone: go('listening', 'keepHeardWords'),
    digitPressed: go('keying', ...STOP_SPEECH),
    turnFailed: go('thinking', ...STOP_SPEECH, 'apologise'),
    turnsExhausted: go('closing', ...STOP_SPEECH, 'sayGoodbye'),
    farewell: go('closing'),
    hangup: go('ended', ...STOP_SPEECH),
  },
  keying: {
    digitPressed: go('keying'),
    digitsEntered: go('thinking', 'startThinking'),
    digitsCleared: go('listening'),
    hangup: go('ended'),
  },
  closing: {
    replyDone: go('leaving', 'keepHeardWords'),
    turnFailed: go('ended', ...STOP_SPEECH, 'hangUp'),
    hangup: go('ended', ...STOP_SPEECH),
  },
  leaving: {
    lingerElapsed: go('ended', 'hangUp'),
    hangup: go('ended'),
  },
  ended: {},
};

export const TURN_STATES = Object.keys(TURN_TABLE) as readonly TurnState[];

const NO_ACTIONS: readonly TurnActionKind[] = [];

/** One step. An event without a cell changes nothing and asks for nothing. @throws never */
export function step(state: TurnState, event: TurnEvent): TurnCell {
  return cellOf(state, event) ?? { next: state, actions: NO_ACTIONS };
}

/** Whether the table knows what to do. */
export function accepts(state: TurnState, event: TurnEvent): boolean {
  return cellOf(state, event) !== undefined;
}

/** The table as Markdown, one row per cell, columns aligned; docs/turn-machine.md holds this text. */
export function renderTurnTable(): string {
  const rows = TURN_STATES.flatMap((state) => rowsOf(state));
  const table = [['State', 'Event', 'Next state', 'Actions, in order'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => renderRow(row, widths, ' '));
  lines.splice(1, 0, renderRow(['', '', '', ''], widths, '-'));
  return lines.join('\n');
}

/** The table as a Mermaid state diagram: one arrow per pair of states, labelled with its events. */
export function renderTurnDiagram(): string {
  const arrows = TURN_STATES.flatMap((state) => renderArrows(state));
  return ['stateDiagram-v2', '  [*] --> idle', ...arrows, '  ended --> [*]'].join('\n');
}

function cellOf(state: TurnState, event: TurnEvent): TurnCell | undefined {
  return Object.hasOwn(TURN_TABLE[state], event) ? TURN_TABLE[state][event] : undefined;
}

function cellsOf(state: TurnState): [TurnEvent, TurnCell][] {
  return Object.entries(TURN_TABLE[state]) as [TurnEvent, TurnCell][];
}

function rowsOf(state: TurnState): string[][] {
  return cellsOf(state).map(([event, { next, actions }]) => [state, event, next, actions.join(', ') || '-']);
}

function renderRow(row: readonly string[], widths: readonly number[], fill: string): string {
  return `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
}

function renderArrows(state: TurnState): string[] {
  const eventsByNext = Map.groupBy(cellsOf(state), ([, cell]) => cell.next);
  return [...eventsByNext].map(
    ([next, cells]) => `  ${state} --> ${next}: ${cells.map(([event]) => event).join(', ')}`,
  );
}
