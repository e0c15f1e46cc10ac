/**
 * Every message between the main thread and the media thread. Only plain data and ring handles cross.
 * Thread: any. Types only.
 */
import type { WireError } from '../errors.ts';
import type { RingHandle, TapeHandle } from '../ring-buffers/layout.ts';
import type { LatenessSummary } from './lateness-histogram.ts';
import type { ThreadPriority } from './thread-priority.ts';
import type { UplinkPackets } from './uplink-clock.ts';

/** Who sends and receives, from our side (RFC 3264 section 5.1, as in our SDP). */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface JitterSettings {
  /** Playout starts when this much is buffered; adapts between the two, ms. */
  readonly targetMinMs: number;
  readonly targetMaxMs: number;
  /** More than this is never held, ms. */
  readonly capMs: number;
}

/** workerData of the media thread. */
export interface MediaWorkerData {
  /** Nice value the thread asks for, -20..19; below 0 it asks for real-time too. It goes on when neither is granted. */
  readonly niceHint: number;
  readonly mediaTimeoutMs: number;
  readonly jitter: JitterSettings;
  /** Lets tests end the thread with a 'fault' request. */
  readonly allowFaults: boolean;
}

export interface OpenLeg {
  readonly callId: number;
  /** A literal address of this machine. */
  readonly bindAddress: string;
  /** Both at 8000 Hz. */
  readonly uplink: TapeHandle;
  readonly downlink: RingHandle;
  /** What is heard is sent back, and nobody else writes the ring. Default false. */
  readonly isEcho?: boolean;
}

export interface StartLeg {
  readonly callId: number;
  /** Where the SDP says media goes; null when it names no usable address. */
  readonly remote: { readonly address: string; readonly port: number } | null;
  /** Where the SIP came from: lets a caller behind a NAT be latched on to, and nobody else. */
  readonly signallingAddress?: string;
  readonly codec: 'PCMU' | 'PCMA';
  readonly payloadType: number;
  readonly telephoneEventPayloadType: number | null;
  /** What was agreed on. We send 20 ms packets and accept any duration, whatever was agreed on. */
  readonly ptimeMs: number;
  readonly direction: MediaDirection;
}

/** Main to media. Each request is answered by one reply of the same requestId. */
export type MediaRequest = { readonly requestId: number } & (
  | { readonly kind: 'openLeg'; readonly rtpPort: number; readonly open: OpenLeg }
  | { readonly kind: 'startLeg'; readonly start: StartLeg }
  | { readonly kind: 'closeLeg'; readonly callId: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'fault' }
  | { readonly kind: 'shutDown' }
);

/** Media to main. */
export type MediaMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly requestId: number; readonly value: LegReport | MediaSnapshot | null }
  | { readonly kind: 'failed'; readonly requestId: number; readonly error: WireError }
  | { readonly kind: 'event'; readonly event: MediaEvent };

export type MediaEvent =
  | {
      readonly kind: 'dtmf';
      readonly callId: number;
      readonly digit: string;
      /** Uplink tape position when the digit ended. */
      readonly positionSamples: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'mediaTimeout'; readonly callId: number }
  /** The first frame with audio in it has been sent. `ringIndex`: index of its first sample. */
  | {
      readonly kind: 'playoutStarted';
      readonly callId: number;
      readonly atMs: number;
      readonly ringIndex: number;
      /** Where the caller's latest packets lie on the uplink tape. */
      readonly uplink: UplinkPackets;
    }
  /** The first frame without audio. `ringIndex`: index after the last sample that was sent. */
  | {
      readonly kind: 'playoutDrained';
      readonly callId: number;
      readonly atMs: number;
      readonly ringIndex: number;
    }
  | { readonly kind: 'remoteBye'; readonly callId: number }
  | { readonly kind: 'firstPacket'; readonly callId: number; readonly atMs: number }
  | { readonly kind: 'died'; readonly message: string };

/** Why a received datagram was dropped; each has a counter. */
export const DROP_REASONS = [
  'notStarted',
  'notReceiving',
  'tooShort',
  'badVersion',
  'badCsrc',
  'badExtension',
  'badPadding',
  'badPayloadType',
  'badTelephoneEvent',
  'foreign',
  'probation',
  'late',
  'duplicate',
  'beyondWindow',
  'jump',
  'tooLarge',
  'badRtcp',
  'foreignRtcp',
  'socketError',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];
export type DropCounters = Record<DropReason, number>;

/** What one leg did, from open to close. Packets unless the name says otherwise. */
export interface LegReport {
  readonly callId: number;
  readonly sent: number;
  readonly received: number;
  /** Expected minus received, as RFC 3550 A.3 counts. */
  readonly lost: number;
  readonly late: number;
  readonly duplicate: number;
  readonly beyondWindow: number;
  /** Pieces made up for packets that were lost or did not come in time. */
  readonly concealed: number;
  /** Thrown out to keep the delay below the cap, and left out in silence to give delay back. */
  readonly overflow: number;
  readonly leftOut: number;
  readonly underrunFrames: number;
  readonly foreignPackets: number;
  /** Digits. */
  readonly dtmf: number;
  readonly drops: DropCounters;
  readonly jitterMs: number;
  readonly roundTripMs: number | null;
  /** What the peer last reported about our stream; null when it never did. */
  readonly remoteFractionLost: number | null;
  readonly sendLatenessMs: LatenessSummary;
}

export interface MediaSnapshot {
  readonly legs: number;
  readonly openSockets: number;
  readonly sendLatenessMs: LatenessSummary;
  /** In the last whole second. */
  readonly recentSendLatenessMs: LatenessSummary;
  /** Datagrams dropped by reason, all legs since the start. */
  readonly counters: DropCounters;
  readonly ticks: { readonly run: number; readonly caughtUp: number; readonly skipped: number };
  /** What the operating system granted the thread. */
  readonly priority: ThreadPriority;
}
