/**
 * One reply whose audio comes from a TTS elsewhere: the sentences that it is known to hold share the stretch of the
 * ring that the audio fills. The protocol marks no end, so a reply is over when nothing came for a while and all was
 * played. Thread: main. Never touches a sample.
 */
import { WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { advance, distance } from '../../ring-buffers/position.ts';
import type { RingController } from '../../ring-buffers/ring.ts';
import type { CancelWord, Spoken } from '../../workers/protocol.ts';

export interface RemoteReplyOptions {
  readonly turnId: number;
  readonly epoch: number;
  readonly cancel: CancelWord;
  readonly controller: RingController;
  /** Silence after the last chunk that ends the reply. */
  readonly gapMs: number;
  /** How long the first chunk may take. */
  readonly firstAudioMs: number;
  /** Chunks on their way into the ring. */
  readonly chunksInFlight: () => number;
  /** Lets the resampler's last samples go into the ring. */
  readonly finishAudio: () => void;
  /** Once, in whatever way it ended. */
  readonly onOver: (how: 'spoken' | 'cancelled' | 'silent') => void;
}

interface Sentence {
  readonly text: string;
  readonly resolve: (spoken: Spoken) => void;
  readonly reject: (error: WildfireError) => void;
}

const LOOK_MS = 40;

export class RemoteReply {
  readonly #options: RemoteReplyOptions;
  readonly #sentences: Sentence[] = [];
  readonly #startIndex: number;
  readonly #startedAtMs = monotonicMs();
  readonly #timer: NodeJS.Timeout;
  #firstChunkAtMs: number | null = null;
  #lastChunkAtMs = 0;
  #isFinishing = false;
  #isOver = false;

  constructor(options: RemoteReplyOptions) {
    this.#options = options;
    this.#startIndex = options.controller.writeIndex;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  get turnId(): number {
    return this.#options.turnId;
  }

  get epoch(): number {
    return this.#options.epoch;
  }

  /** Whether its caller still wants to hear it. */
  get isWanted(): boolean {
    const { cancel, turnId, controller, epoch } = this.#options;
    return Atomics.load(cancel, 0) < turnId && controller.epoch === epoch;
  }

  /** Another sentence of the reply. @throws WildfireError INFERENCE_FAILED when no audio comes */
  add(text: string): Promise<Spoken> {
    return new Promise((resolve, reject) => this.#sentences.push({ text, resolve, reject }));
  }

  /** Audio of it has arrived. */
  onChunk(): void {
    this.#lastChunkAtMs = monotonicMs();
    this.#firstChunkAtMs ??= this.#lastChunkAtMs;
    this.#isFinishing = false;
  }

  /** The call is over. */
  close(): void {
    this.#end('cancelled');
  }

  #look(): void {
    const { controller, gapMs, firstAudioMs, chunksInFlight, finishAudio } = this.#options;
    const nowMs = monotonicMs();
    if (!this.isWanted) return this.#end('cancelled');
    if (this.#firstChunkAtMs === null) {
      if (nowMs - this.#startedAtMs > firstAudioMs) this.#end('silent');
      return;
    }
    if (nowMs - this.#lastChunkAtMs < gapMs || chunksInFlight() > 0) return;
    if (!this.#isFinishing) {
      this.#isFinishing = true;
      return finishAudio();
    }
    if (controller.playableSamples === 0) this.#end('spoken');
  }

  #end(how: 'spoken' | 'cancelled' | 'silent'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#options.onOver(how);
    if (how === 'silent') {
      const error = new WildfireError('INFERENCE_FAILED', 'no speech came from the TTS elsewhere', {
        retryable: true,
      });
      for (const { reject } of this.#sentences) reject(error);
    } else this.#settle(how);
  }

  // Where one sentence ends and the next begins nobody tells: they share the audio by the length of their texts.
  #settle(how: 'spoken' | 'cancelled'): void {
    const { controller } = this.#options;
    const samples = distance(this.#startIndex, controller.writeIndex);
    const chars = this.#sentences.reduce((sum, { text }) => sum + text.length, 0);
    let charsBefore = 0;
    this.#sentences.forEach(({ text, resolve }, i) => {
      const startIndex = this.#indexAt(samples, charsBefore, chars);
      charsBefore += text.length;
      const endIndex = this.#indexAt(samples, charsBefore, chars);
      const isLast = i === this.#sentences.length - 1;
      resolve({ kind: isLast ? how : 'spoken', startIndex, endIndex, ...this.#times() });
    });
  }

  #indexAt(samples: number, charsBefore: number, chars: number): number {
    return advance(this.#startIndex, chars === 0 ? 0 : Math.round((samples * charsBefore) / chars));
  }

  /** What happens elsewhere is not known here but for its beginning. */
  #times(): Omit<Spoken, 'kind' | 'startIndex' | 'endIndex'> {
    const firstAudioMs = (this.#firstChunkAtMs ?? this.#startedAtMs) - this.#startedAtMs;
    return { queueMs: 0, firstAudioMs, leadInMs: 0, computeMs: 0, audioMs: 0 };
  }
}
