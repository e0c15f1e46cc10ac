/**
 * The `whisper` role for outside calls: REGISTER on UDP 13000 makes us dial 9001+id; frames of speech become text for
 * the next sink. The listener begins connections and never waits for one. Thread: main.
 */
import { HearingCall, type HearingParts } from './hearing-call.ts';
import { IdCollisions } from './id-collisions.ts';

export class HearingService {
  readonly #parts: HearingParts;
  readonly #calls = new Map<number, HearingCall>();
  readonly #collisions: IdCollisions;

  constructor(parts: Omit<HearingParts, 'onEnded'>) {
    this.#parts = { ...parts, onEnded: (callId) => this.#onEnded(callId) };
    this.#collisions = new IdCollisions(parts.context);
  }

  get size(): number {
    return this.#calls.size;
  }

  has(callId: number): boolean {
    return this.#calls.has(callId);
  }

  /** A REGISTER. Returns at once, whatever becomes of the connection. */
  register(callId: number, address: string): 'register' | 'duplicate' | 'refused' {
    const known = this.#calls.get(callId);
    if (known !== undefined) return known.register(address) ? 'register' : 'duplicate';
    const { context } = this.#parts;
    if (this.#calls.size >= context.settings.maxSessions) {
      context.count('sessionLimit');
      return 'refused';
    }
    this.#collisions.begin(callId, address);
    this.#calls.set(callId, new HearingCall(callId, address, this.#parts));
    context.metrics.sessions.set({ role: 'whisper' }, this.size);
    return 'register';
  }

  bye(callId: number): 'bye' | 'byeUnknown' {
    const known = this.#calls.get(callId);
    known?.bye();
    return known === undefined ? 'byeUnknown' : 'bye';
  }

  close(): void {
    for (const call of [...this.#calls.values()]) call.bye();
  }

  #onEnded(callId: number): void {
    this.#calls.delete(callId);
    this.#collisions.end(callId);
    this.#parts.context.metrics.sessions.set({ role: 'whisper' }, this.size);
  }
}
