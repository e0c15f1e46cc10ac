/**
 * The `tts` role for outside calls: text in (from 8090, or straight from the thinking service of this process), speech
 * out to 9002+id. REGISTER on UDP 13001 says where a call's outbound side is; the connection is made when there is
 * something to hear. Text that comes first is spoken and kept. Thread: main.
 */
import { messageOf } from '../../errors.ts';
import { createRing, type RingHandle } from '../../ring-buffers/layout.ts';
import { renewRing } from '../../ring-buffers/renew.ts';
import { IdCollisions } from './id-collisions.ts';
import { SpeakingCall, type SpeakingParts } from './speaking-call.ts';
import type { TextSink } from './text-sink.ts';

/** At 24 kHz 11 s: a writer that meets a full ring waits for the reader, which is fast. */
const RING_CAPACITY_SAMPLES = 2 ** 18;

interface Registration {
  readonly address: string;
  /** Forgotten when no REGISTER has come for a while and the call has no voice. */
  readonly expiry: NodeJS.Timeout;
}

export class SpeakingService implements TextSink {
  readonly #parts: SpeakingParts;
  readonly #calls = new Map<number, SpeakingCall>();
  readonly #registrations = new Map<number, Registration>();
  readonly #collisions: IdCollisions;
  readonly #spareRings: RingHandle[] = [];
  /** Calls whose last words are still on their way. */
  readonly #closing = new Map<SpeakingCall, Promise<void>>();
  #lastSourceId = 0;

  constructor(parts: SpeakingParts) {
    this.#parts = parts;
    this.#collisions = new IdCollisions(parts.context);
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls that have ended and whose last words are still on their way. */
  get leaving(): number {
    return this.#closing.size;
  }

  /** Whether a call has a voice or has said where it listens. */
  has(callId: number): boolean {
    return this.#calls.has(callId) || this.#registrations.has(callId);
  }

  /** Outbound sides that have said where they are. */
  get registered(): number {
    return this.#registrations.size;
  }

  // ---- UDP 13001 ----------------------------------------------------------------------------------------

  /** A REGISTER: noted, and a voice that waits for its listener tries again at once. */
  register(callId: number, address: string): 'register' | 'duplicate' | 'refused' {
    const { context } = this.#parts;
    const known = this.#registrations.get(callId);
    if (known === undefined && this.#registrations.size >= context.settings.maxSessions) {
      context.count('sessionLimit');
      return 'refused';
    }
    if (known === undefined) this.#collisions.begin(callId, address);
    this.#note(callId, address);
    this.#calls.get(callId)?.onReadiness();
    return known === undefined ? 'register' : 'duplicate';
  }

  /** BYE by datagram: silence, now. */
  bye(callId: number): 'bye' | 'byeUnknown' {
    const isKnown = this.#registrations.has(callId) || this.#calls.has(callId);
    this.#forget(callId);
    this.#calls.get(callId)?.cancel();
    for (const call of this.#closing.keys()) if (call.callId === callId) call.cancel();
    this.end(callId);
    return isKnown ? 'bye' : 'byeUnknown';
  }

  // ---- text ---------------------------------------------------------------------------------------------

  /** A call needs no voice before it has something to say. */
  begin(): void {}

  text(callId: number, text: string): void {
    const call = this.#calls.get(callId) ?? this.#open(callId);
    call?.say(text);
  }

  /** No more text will come: what was given is spoken to its end. */
  end(callId: number): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    const { context } = this.#parts;
    context.metrics.sessions.set({ role: 'tts' }, this.size);
    const known = this.#registrations.get(callId);
    if (known !== undefined) this.#note(callId, known.address);
    this.#closing.set(call, this.#finish(call));
  }

  /** Silence, now: last words, too, which leave in real time. */
  async close(): Promise<void> {
    for (const callId of [...this.#registrations.keys()]) this.#forget(callId);
    for (const callId of [...this.#calls.keys()]) this.end(callId);
    for (const call of this.#closing.keys()) call.cancel();
    await Promise.all(this.#closing.values());
  }

  async #finish(call: SpeakingCall): Promise<void> {
    try {
      await call.close();
      this.#spareRings.push(call.ring);
    } catch (error) {
      const { log } = this.#parts.context;
      log.error(
        { callId: call.callId, error: messageOf(error) },
        'the voice of an outside call did not close',
      );
    }
    this.#closing.delete(call);
  }

  #open(callId: number): SpeakingCall | null {
    const { context, rateHz } = this.#parts;
    if (this.#calls.size >= context.settings.maxSessions) {
      context.count('sessionLimit');
      return null;
    }
    const { outboundHost, outboundPortBase } = context.settings;
    const spare = this.#spareRings.pop();
    if (spare !== undefined) renewRing(spare);
    const ring = spare ?? createRing({ rateHz, capacitySamples: RING_CAPACITY_SAMPLES });
    const call = new SpeakingCall({
      ...this.#parts,
      callId,
      sourceId: ++this.#lastSourceId,
      ring,
      endpoint: () => ({
        host: this.#registrations.get(callId)?.address ?? outboundHost,
        port: outboundPortBase + callId,
      }),
    });
    this.#calls.set(callId, call);
    context.metrics.sessions.set({ role: 'tts' }, this.size);
    return call;
  }

  /** Keeps an address for as long as the call has a voice, and a while beyond its last REGISTER. */
  #note(callId: number, address: string): void {
    const known = this.#registrations.get(callId);
    if (known !== undefined) clearTimeout(known.expiry);
    const expiry = setTimeout(() => {
      if (!this.#calls.has(callId)) this.#forget(callId);
    }, this.#parts.context.settings.lostGraceMs);
    this.#registrations.set(callId, { address, expiry });
  }

  #forget(callId: number): void {
    const known = this.#registrations.get(callId);
    if (known !== undefined) clearTimeout(known.expiry);
    this.#registrations.delete(callId);
    this.#collisions.end(callId);
  }
}
