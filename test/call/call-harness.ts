/**
 * One Call with everything around it faked, on a fake clock. Use with `useFakeClock()`; time moves only through
 * `pass()`. Samples on the uplink follow the clock, as on a real line.
 */
import { afterEach, beforeEach, vi } from 'vitest';
import { Call } from '../../src/call/call.ts';
import { CallAudioStore } from '../../src/call/call-audio.ts';
import type { AgentPersona, CallDependencies } from '../../src/call/call-dependencies.ts';
import type { CallReport, TurnReport } from '../../src/call/reports.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { DEFAULT_TURN_CONFIG, type TurnConfig } from '../../src/turn/turn-config.ts';
import { type FakeEngines, fakeEngines } from './fake-engines.ts';
import { FakeMedia, FakeVad } from './fake-media.ts';
import { type FakeDialog, FakeInvite, OFFER } from './fake-sip.ts';

export const AGENT: AgentPersona = {
  systemPrompt: 'You answer the phone.',
  greeting: 'Hello there.',
  apology: 'Sorry?',
  noInputPrompt: 'Still there?',
  goodbye: 'Bye now.',
  voice: 'v',
  speed: 1,
};

export const CALL_ID = 7;
/** What the VAD needs to be sure that speech ended. */
const HANGOVER_MS = 80;

/** Timers and the monotonic clock stand still unless `pass()` moves them. */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['hrtime', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Moves the clock, and lets everything that became ready run. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

export interface HarnessOptions {
  readonly offer?: string | null;
  readonly advertisedAddress?: string;
  readonly agent?: Partial<AgentPersona>;
  readonly turnConfig?: TurnConfig;
  readonly maxCallDurationMs?: number;
}

export class CallHarness {
  readonly audio = new CallAudioStore();
  readonly media = new FakeMedia();
  readonly vad = new FakeVad();
  readonly engines: FakeEngines = fakeEngines();
  readonly invite: FakeInvite;
  readonly call: Call;
  readonly reports: CallReport[] = [];
  readonly turns: TurnReport[] = [];
  /** Ids given back to the registry. */
  readonly left: number[] = [];
  /** Everything counted, `area.reason`. */
  readonly counted: string[] = [];
  readonly warnings: string[] = [];
  #answeredAtMs = 0;

  constructor(options: HarnessOptions = {}) {
    this.invite = new FakeInvite(
      options.offer === undefined ? OFFER : options.offer,
      options.advertisedAddress,
    );
    this.call = new Call(CALL_ID, this.invite, this.#dependencies(options));
    this.media.onEvent = (event) => this.call.onMediaEvent(event);
  }

  get dialog(): FakeDialog {
    if (this.invite.dialog === null) throw new Error('the INVITE was not accepted');
    return this.invite.dialog;
  }

  /** INVITE to ACK; the conversation has begun when it resolves. */
  async establish(): Promise<void> {
    void this.call.answer();
    await pass(0);
    this.invite.acknowledge();
    await pass(0);
    this.#answeredAtMs = monotonicMs();
  }

  /** The call is up and the greeting was heard to its end. */
  async establishAndGreet(): Promise<void> {
    await this.establish();
    await this.untilSilent();
  }

  /** The caller speaks from now on for `ms`, and the VAD has noticed the end. */
  async speak(ms: number): Promise<void> {
    this.startSpeaking();
    await pass(ms);
    await this.stopSpeaking();
  }

  startSpeaking(): void {
    this.#speech('speechStarted', this.#position());
  }

  async stopSpeaking(): Promise<void> {
    const atSample = this.#position();
    await pass(HANGOVER_MS);
    this.#speech('speechStopped', atSample);
  }

  press(digit: string): void {
    const positionSamples = this.#position();
    this.call.onMediaEvent({ kind: 'dtmf', callId: CALL_ID, digit, positionSamples, durationMs: 100 });
  }

  /** Runs until the agent has said what it has to say. */
  async untilSilent(limitMs = 10_000): Promise<void> {
    const endMs = monotonicMs() + limitMs;
    for (let quietMs = 0; quietMs < 100; ) {
      const before = this.media.playedSamples.length;
      await pass(20);
      quietMs = this.media.playedSamples.length === before ? quietMs + 20 : 0;
      if (monotonicMs() > endMs) throw new Error('the agent does not stop talking');
    }
  }

  /** Numbers of the sentences heard so far, in order (see FakeTts). */
  get heardSentences(): number[] {
    return this.media.playedSamples.filter((value, i, all) => i === 0 || value !== all[i - 1]);
  }

  #position(): number {
    return Math.round((monotonicMs() - this.#answeredAtMs) * 8);
  }

  #speech(kind: 'speechStarted' | 'speechStopped', atSample: number): void {
    this.call.onSpeech({
      kind,
      atSample,
      decidedAtSample: this.#position(),
      atMs: monotonicMs(),
      levelDbfs: -20,
      noiseDbfs: -60,
    });
  }

  #dependencies(options: HarnessOptions): CallDependencies {
    const warn = (fields: object, message: string): number =>
      this.warnings.push(`${message}: ${JSON.stringify(fields)}`);
    return {
      audio: this.audio,
      media: this.media,
      vad: this.vad,
      wire: null,
      engines: this.engines,
      agent: { ...AGENT, ...options.agent },
      turnConfig: options.turnConfig ?? DEFAULT_TURN_CONFIG,
      maxCallDurationMs: options.maxCallDurationMs ?? 3_600_000,
      retryAfterSeconds: 9,
      log: { debug() {}, info() {}, warn, error: warn },
      count: (area, reason) => this.counted.push(`${area}.${reason}`),
      onTurn: (turn) => this.turns.push(turn),
      onCallEnded: (call) => this.reports.push(call),
      leave: (callId) => this.left.push(callId),
    };
  }
}
