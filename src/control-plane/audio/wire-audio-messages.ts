/**
 * What crosses between the main thread and the wire-audio thread: handles of tapes and rings, and the bytes of frames,
 * which are moved and not copied. Thread: any. Types only.
 */
import type { RingHandle, TapeHandle } from '../../ring-buffers/layout.ts';

export type WireAudioRequest =
  /** Answered by `encoded`: float32 at 16 kHz. */
  | {
      readonly kind: 'encodeSpeech';
      readonly requestId: number;
      readonly uplink: TapeHandle;
      readonly fromSample: number;
      readonly toSample: number;
    }
  /** Answered by `stored`: where on the tape (16 kHz) the samples of a frame lie. */
  | {
      readonly kind: 'storeSpeech';
      readonly requestId: number;
      readonly tape: TapeHandle;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** A call whose audio comes from outside into its ring. */
  | { readonly kind: 'openDownlink'; readonly callId: number; readonly downlink: RingHandle }
  /** One chunk for the ring, in order; answered by `written` when it is in the ring or was thrown away. */
  | {
      readonly kind: 'writeDownlink';
      readonly callId: number;
      readonly epoch: number;
      readonly rateHz: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** The reply is complete: what the resampler holds back is written. */
  | { readonly kind: 'finishDownlink'; readonly callId: number; readonly epoch: number }
  | { readonly kind: 'closeDownlink'; readonly callId: number }
  /** A call whose audio goes out of its ring, in chunks. */
  | {
      readonly kind: 'openSource';
      readonly callId: number;
      readonly ring: RingHandle;
      readonly chunkSamples: number;
    }
  /** Someone writes into the ring (true), or has finished (false): then all of it is sent, and `drained` follows. */
  | { readonly kind: 'setSourceActive'; readonly callId: number; readonly isActive: boolean }
  /** Answered by `sourceClosed`: until then the ring may still be read. */
  | { readonly kind: 'closeSource'; readonly callId: number }
  | { readonly kind: 'close' };

export type WireAudioReply =
  | { readonly kind: 'ready' }
  /** `bytes` null: the tape no longer, or not yet, holds the samples. */
  | { readonly kind: 'encoded'; readonly requestId: number; readonly bytes: Uint8Array<ArrayBuffer> | null }
  | {
      readonly kind: 'stored';
      readonly requestId: number;
      readonly fromSample: number;
      readonly toSample: number;
    }
  | {
      readonly kind: 'written';
      readonly callId: number;
      /** How many chunks this answers. */
      readonly chunks: number;
      /** Samples thrown away for want of room. */
      readonly droppedSamples: number;
    }
  /** One chunk that cannot be brought to the ring's rate; it answers its `writeDownlink`. */
  | { readonly kind: 'refused'; readonly callId: number }
  /** float32 at the ring's rate. */
  | { readonly kind: 'chunk'; readonly callId: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'drained'; readonly callId: number }
  | { readonly kind: 'sourceClosed'; readonly callId: number };
