/**
 * What the built-in caller is about to send, cut into 20 ms frames: speech, keys, otherwise silence. Pure.
 */
import { rmsDbfs } from '../audio/level.ts';
import { type DtmfPacketContent, dtmfPress } from '../rtp/dtmf.ts';
import { addToTimestamp } from '../rtp/sequence-number.ts';

/** A frame of the caller's prompts above this level counts as speech on the wire. */
const SPEECH_DBFS = -45;
const KEY_MS = 100;
const KEY_PAUSE_FRAMES = 5;
const RATE_HZ = 8000;

/** When something was on the wire: monotonicMs(), and RTP timestamps. */
export interface TalkSpan {
  readonly firstSentAtMs: number;
  /** The last packet with speech in it (not the silence that trails a prompt), or the one that ended the last key. */
  readonly lastSpeechSentAtMs: number;
  /** RTP timestamp after that packet. */
  readonly speechEndTimestamp: number;
}

export type TalkFrame =
  | { readonly kind: 'audio'; readonly samples: Int16Array; readonly startsTalkspurt: boolean }
  | {
      readonly kind: 'key';
      readonly samples: Int16Array;
      readonly content: DtmfPacketContent;
      readonly isFirst: boolean;
      readonly isLast: boolean;
      /** The end of the press, sent once more in case the first was lost. */
      readonly isRepeatedEnd: boolean;
    };

interface Talk {
  readonly frames: TalkFrame[];
  readonly done: (span: TalkSpan) => void;
  readonly span: { -readonly [K in keyof TalkSpan]: TalkSpan[K] };
  nextFrame: number;
}

export class TalkQueue {
  readonly #frameSamples: number;
  readonly #silence: TalkFrame;
  readonly #talks: Talk[] = [];

  constructor(frameSamples: number) {
    this.#frameSamples = frameSamples;
    this.#silence = { kind: 'audio', samples: new Int16Array(frameSamples), startsTalkspurt: false };
  }

  /** Resolves when the last frame was taken. */
  pushSpeech(samples: Int16Array): Promise<TalkSpan> {
    const frames: TalkFrame[] = [];
    for (let at = 0; at < samples.length; at += this.#frameSamples) {
      const frame = new Int16Array(this.#frameSamples);
      frame.set(samples.subarray(at, at + this.#frameSamples));
      frames.push({ kind: 'audio', samples: frame, startsTalkspurt: at === 0 });
    }
    return this.#push(frames);
  }

  /** Resolves when the last key's end was taken. @param digits of 0-9 * # A-D */
  pushKeys(digits: string): Promise<TalkSpan> {
    const frames = [...digits].flatMap((digit) => [
      ...this.#keyFrames(digit),
      ...Array(KEY_PAUSE_FRAMES).fill(this.#silence),
    ]);
    return this.#push(frames);
  }

  /** The frame to send now. @param timestamp RTP timestamp of its first sample */
  next(nowMs: number, timestamp: number): TalkFrame {
    const talk = this.#talks[0];
    const frame = talk?.frames[talk.nextFrame];
    if (talk === undefined || frame === undefined) return this.#silence;
    if (talk.nextFrame === 0) talk.span.firstSentAtMs = nowMs;
    if (frame.kind === 'key' ? !frame.isRepeatedEnd : rmsDbfs(frame.samples) > SPEECH_DBFS) {
      talk.span.lastSpeechSentAtMs = nowMs;
      talk.span.speechEndTimestamp = addToTimestamp(timestamp, this.#frameSamples);
    }
    talk.nextFrame += 1;
    if (talk.nextFrame === talk.frames.length) {
      this.#talks.shift();
      talk.done(talk.span);
    }
    return frame;
  }

  #push(frames: TalkFrame[]): Promise<TalkSpan> {
    if (frames.length === 0) frames.push(this.#silence);
    const span = { firstSentAtMs: 0, lastSpeechSentAtMs: 0, speechEndTimestamp: 0 };
    return new Promise((done) => {
      this.#talks.push({ frames, done, span, nextFrame: 0 });
    });
  }

  #keyFrames(digit: string): TalkFrame[] {
    const packets = dtmfPress(digit, KEY_MS, RATE_HZ);
    return packets.map((content, i) => ({
      kind: 'key' as const,
      samples: this.#silence.samples,
      content,
      isFirst: i === 0,
      isLast: i === packets.length - 1,
      isRepeatedEnd: packets[i - 1]?.isEnd === true,
    }));
  }
}
