/** Every message between the main thread and the thread of the echo lines. Plain data. Types only. */
import type { WireError } from '../../errors.ts';
import type { LatenessSummary } from '../../media/lateness-histogram.ts';
import type { ThreadPriority } from '../../media/thread-priority.ts';

/** One line from its first packet to its last. Packets and frames are the same thing here: 20 ms each. */
export interface EchoLineReport {
  readonly sent: number;
  /** Of those, what the system refused to send. */
  readonly unsent: number;
  readonly received: number;
  /** Gaps in the sequence numbers of what came back. */
  readonly lost: number;
  /** Came after a later one. */
  readonly late: number;
  /** Marks that came back, in order and whole. */
  readonly returned: number;
  /** Sent before the far side's playout had begun: frames before the first mark that came back. */
  readonly unanswered: number;
  /** Marks after the first that never came back. */
  readonly missing: number;
  readonly repeated: number;
  /** Frames that are no mark, or not all of one: concealment, silence, foreign audio. */
  readonly damaged: number;
  readonly roundTripMs: LatenessSummary;
}

/** All lines so far. */
export interface EchoSnapshot {
  readonly sent: number;
  readonly roundTripMs: LatenessSummary & { readonly p95: number };
  /** How many took up to so many ms. */
  readonly roundTripCounts: readonly (readonly [upToMs: number, count: number])[];
  /** How late this side's own packets left. */
  readonly pacingMs: LatenessSummary;
  readonly priority: ThreadPriority;
}

export interface EchoRemote {
  readonly address: string;
  readonly port: number;
  readonly payloadType: number;
}

/** Main to lines. Each request is answered by one reply of the same requestId. */
export type EchoRequest = { readonly requestId: number } & (
  | { readonly kind: 'open'; readonly line: number; readonly bindAddress: string }
  | { readonly kind: 'start'; readonly line: number; readonly remote: EchoRemote }
  /** Stops sending, waits until what is on its way is back, closes the socket. */
  | { readonly kind: 'stop'; readonly line: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'close' }
);

/** What each request is answered with. */
export interface EchoReplies {
  readonly open: { readonly rtpPort: number };
  readonly start: null;
  readonly stop: EchoLineReport;
  readonly snapshot: EchoSnapshot;
  readonly close: null;
}

export type EchoMessage =
  | { readonly requestId: number; readonly value: EchoReplies[keyof EchoReplies] }
  | { readonly requestId: number; readonly error: WireError };
