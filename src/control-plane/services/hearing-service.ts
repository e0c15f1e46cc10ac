/**
 * The `whisper` role for outside calls: REGISTER on UDP 13000 makes us dial 9001+id; frames of speech become text for
 * the next sink. The listener begins connections and never waits for one. Thread: main.
 */
import { isLoopback } from '../net/access.ts';
import { doCollide } from '../wire/call-ids.ts';
import { HearingCall, type HearingParts } from './hearing-call.ts';

export class HearingService {
  readonly #parts: HearingParts;
  readonly #calls = new Map<number, HearingCall>();
  /** Pairs of ids that were already complained of. */
  readonly #collisions = new Set<number>();

  constructor(parts: Omit<HearingParts, 'onEnded'>) {
    this.#parts = { ...parts, onEnded: (callId) => this.#onEnded(callId) };
  }

  get size(): number {
    return this.#calls.size;
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
    this.#reportCollision(callId, address);
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
    this.#collisions.delete(callId);
    this.#parts.context.metrics.sessions.set({ role: 'whisper' }, this.size);
  }

  // Two ids that follow each other claim one port: whoever bound it first has it, and the other call stays silent.
  #reportCollision(callId: number, address: string): void {
    const { context } = this.#parts;
    const { settings } = context;
    const neighbour = [callId - 1, callId + 1].find(
      (other) => this.#calls.has(other) && doCollide(callId, other, settings),
    );
    if (neighbour === undefined || !isLoopback(address) || this.#collisions.has(callId)) return;
    this.#collisions.add(callId);
    context.count('idCollision');
    const port = settings.outboundPortBase + Math.min(callId, neighbour);
    context.log.error(
      { callId, neighbour, port },
      `calls ${neighbour} and ${callId} claim one port, ${port}: give calls of one box ids in steps of two`,
    );
  }
}
