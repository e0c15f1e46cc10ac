import { expect, test } from 'vitest';
import { DEFAULT_TURN_CONFIG } from '../../src/turn/turn-config.ts';
import type { TurnAction, TurnInput } from '../../src/turn/turn-messages.ts';
import { TurnPolicy } from '../../src/turn/turn-policy.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const ROUNDS = 400;
const STEPS = 120;
const STARTS = [
  'greet',
  'startTranscription',
  'resumeReply',
  'askAgain',
  'promptNoInput',
  'apologise',
  'sayGoodbye',
];

/** A caller, engines and a line that do anything at any time. */
class Chaos {
  readonly random: SeededRandom;
  readonly policy: TurnPolicy;
  readonly startSample: number;
  nowMs = 1000;
  isSpeaking = false;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.startSample = this.random.integer(0, 2 ** 32 - 1);
    this.policy = new TurnPolicy({
      config: DEFAULT_TURN_CONFIG,
      rateHz: 8000,
      tapeStartSample: this.startSample,
    });
  }

  sampleAt(ms: number): number {
    return (this.startSample + Math.round((ms - 1000) * 8)) >>> 0;
  }

  next(): TurnInput {
    const { random } = this;
    // Mostly the present turn, sometimes one that is gone.
    const turnId = Math.max(0, this.policy.turnId - (random.isTrue(0.15) ? random.integer(1, 3) : 0));
    return random.pick<() => TurnInput>([
      () => this.#speech(),
      () => this.#speech(),
      () => this.#speech(),
      () => ({ kind: 'answered', hasGreeting: random.isTrue(0.5) }),
      () => ({ kind: 'dtmf', digit: random.pick([...'0123456789*#AD']) }),
      () => ({
        kind: 'transcript',
        turnId,
        text: random.pick(['', ' ', 'yes please', 'mm-hmm', 'okay']),
        isPartial: random.isTrue(0.2),
        isReplyResumable: random.isTrue(0.5),
      }),
      () => ({ kind: 'firstSamplePlayed', turnId, atMs: this.nowMs }),
      () => ({ kind: 'replyDone', turnId }),
      () => ({ kind: 'turnFailed', turnId }),
      () => (random.isTrue(0.05) ? { kind: 'farewell', turnId } : this.#speech()),
    ])();
  }

  #speech(): TurnInput {
    this.isSpeaking = !this.isSpeaking;
    return {
      kind: this.isSpeaking ? 'speechStarted' : 'speechStopped',
      atSample: this.sampleAt(this.nowMs - this.random.integer(0, 200)),
      decidedAtSample: this.sampleAt(this.nowMs),
      atMs: this.nowMs,
      levelDbfs: this.random.integer(-60, -5),
      noiseDbfs: -60,
    };
  }
}

function check(chaos: Chaos, actions: readonly TurnAction[], lastTurnId: number): number {
  let turnId = lastTurnId;
  for (const action of actions) {
    if (!('turnId' in action)) continue;
    expect(action.turnId).toBeGreaterThanOrEqual(turnId);
    if (STARTS.includes(action.kind)) expect(action.turnId).toBe(turnId + 1);
    turnId = action.turnId;
    if (action.kind === 'startTranscription') checkWindows(chaos, action.windows);
  }
  expect(chaos.policy.turnId).toBe(turnId);
  return turnId;
}

function checkWindows(chaos: Chaos, windows: readonly { fromSample: number; toSample: number }[]): void {
  expect(windows.length).toBeGreaterThan(0);
  let previousEnd = 0;
  for (const { fromSample, toSample } of windows) {
    const from = (fromSample - chaos.startSample) | 0;
    const to = (toSample - chaos.startSample) | 0;
    expect(from).toBeGreaterThanOrEqual(previousEnd);
    expect(to).toBeGreaterThanOrEqual(from);
    expect(to).toBeLessThanOrEqual((chaos.sampleAt(chaos.nowMs) - chaos.startSample) | 0);
    expect(to - from).toBeLessThanOrEqual(80_000);
    previousEnd = to;
  }
}

test('whatever happens, turns count up, windows are on the tape, and the call never stands still', () => {
  const seed = printedSeed('turn policy fuzz');
  for (let round = 0; round < ROUNDS; round += 1) {
    const chaos = new Chaos(seed + round);
    const { policy, random } = chaos;
    let turnId = check(chaos, policy.handle({ kind: 'answered', hasGreeting: true }, chaos.nowMs), 0);
    for (let stepNumber = 0; stepNumber < STEPS; stepNumber += 1) {
      chaos.nowMs += random.pick([1, 20, 100, 300, 600, 3000]) * random.next();
      turnId = check(chaos, policy.tick(chaos.nowMs), turnId);
      turnId = check(chaos, policy.handle(chaos.next(), chaos.nowMs), turnId);
      if (policy.state !== 'ended') expect(policy.nextDeadlineMs).toBeGreaterThan(chaos.nowMs);
    }
    // Now nobody does anything any more: the deadlines alone must bring the call to its end.
    let wakeUps = 0;
    while (policy.state !== 'ended') {
      expect(policy.nextDeadlineMs, `seed ${seed + round}: stuck in ${policy.state}`).toBeLessThan(
        chaos.nowMs + 200_000,
      );
      chaos.nowMs = policy.nextDeadlineMs;
      turnId = check(chaos, policy.tick(chaos.nowMs), turnId);
      wakeUps += 1;
      expect(wakeUps, `seed ${seed + round}`).toBeLessThan(100);
    }
    expect(policy.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  }
});
