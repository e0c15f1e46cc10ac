/**
 * What crosses between the main thread and the store's: records to keep, questions, answers. Plain data only.
 * Reading side of the API: docs/cli.md, "Calls and turns over HTTP".
 */
import type { CallReport, TurnReport } from '../call/reports.ts';
import type { WireError } from '../errors.ts';

/** A turn as it is kept. Words that were said are null unless `store.keepText` is on: they never leave main. */
export type KeptTurn = Omit<TurnReport, 'heard' | 'reply'> & {
  readonly heard: string | null;
  readonly reply: string | null;
};

/** `atMs`: wall clock, ms since 1970: of the INVITE, of the decision that the turn was over, of the end. */
export type StoreRecord =
  | {
      readonly kind: 'callStarted';
      readonly atMs: number;
      readonly callId: number;
      readonly sipCallId: string;
    }
  | { readonly kind: 'turn'; readonly atMs: number; readonly turn: KeptTurn }
  | { readonly kind: 'callEnded'; readonly atMs: number; readonly call: CallReport };

export interface Page {
  /** 1..MAX_PAGE. */
  readonly limit: number;
  /** Rows older than this cursor, which is the `next` of the page before; null begins with the newest. */
  readonly before: number | null;
}

/** A call is named by its id (`<run>-<callId>`) or by its SIP Call-ID, of which the newest call is meant. */
export type StoreQuery =
  | ({ readonly kind: 'calls' } & Page)
  | ({ readonly kind: 'turns'; readonly call: string | null } & Page)
  | { readonly kind: 'call'; readonly call: string };

/** Rows of one answer at the most: about 200 KB of JSON. */
export const MAX_PAGE = 200;

export interface StoreThreadData {
  /** Absolute. */
  readonly path: string;
  /** Names this run of the process: with a callId it is the key of a call, whatever other runs wrote. */
  readonly run: string;
  /** Older rows are deleted; 0 keeps all. */
  readonly retentionDays: number;
  /** How long a write waits for another process that writes. */
  readonly busyTimeoutMs: number;
  /** A thread that takes the place of a dead one goes on although the file cannot be opened yet. */
  readonly mustOpen: boolean;
  /** Tests only. */
  readonly allowFaults: boolean;
}

/** What an injected fault does: ends the thread at once, or after the next batch, committed but not told. */
export type StoreFault = 'now' | 'afterCommit';

export type StoreRequest =
  | { readonly kind: 'write'; readonly records: readonly StoreRecord[] }
  | { readonly kind: 'read'; readonly requestId: number; readonly query: StoreQuery }
  | { readonly kind: 'die'; readonly fault: StoreFault }
  | { readonly kind: 'close' };

export type StoreReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'notOpened'; readonly error: WireError }
  /** `refused`: records that the database did not take, whatever else is in order. */
  | { readonly kind: 'written'; readonly refused: number }
  /** None of the batch is in the database; it may be sent again. */
  | { readonly kind: 'notWritten'; readonly error: WireError }
  /** UTF-8 JSON, its buffer transferred; null when there is no such call. */
  | { readonly kind: 'answer'; readonly requestId: number; readonly json: Uint8Array | null }
  | { readonly kind: 'noAnswer'; readonly requestId: number; readonly error: WireError };
