import { describe, expect, test } from 'vitest';
import { DEFAULT_TURN_CONFIG, type TurnConfig } from '../../src/turn/turn-config.ts';
import type { TurnAction, TurnInput } from '../../src/turn/turn-messages.ts';
import { TurnPolicy } from '../../src/turn/turn-policy.ts';

const RATE_HZ = 8000;
/** How long the VAD takes to be sure. */
const START_LAG_MS = 60;
const STOP_LAG_MS = 100;

type Step = { readonly atMs: number; readonly actions: readonly TurnAction[] };

/** A call with a fake clock: the tape runs from position `tapeStartSample` at `startMs`. */
class Scene {
  readonly policy: TurnPolicy;
  readonly log: Step[] = [];
  readonly #startMs: number;
  readonly #tapeStartSample: number;
  nowMs: number;

  constructor(config: Partial<TurnConfig> = {}, tapeStartSample = 2 ** 32 - 20_000, startMs = 5_000) {
    this.#startMs = startMs;
    this.#tapeStartSample = tapeStartSample;
    this.nowMs = startMs;
    this.policy = new TurnPolicy({
      config: { ...DEFAULT_TURN_CONFIG, ...config },
      rateHz: RATE_HZ,
      tapeStartSample,
    });
  }

  sampleAt(atMs: number): number {
    return (this.#tapeStartSample + (atMs - this.#startMs) * 8) >>> 0;
  }

  /** ms of a tape position. */
  msOf(sample: number): number {
    return this.#startMs + ((sample - this.#tapeStartSample) | 0) / 8;
  }

  /** Lets time pass, waking the policy only at its deadlines, as the conversation does. */
  runTo(atMs: number): TurnAction[] {
    const done: TurnAction[] = [];
    while (this.policy.nextDeadlineMs <= atMs) {
      this.nowMs = Math.max(this.nowMs, this.policy.nextDeadlineMs);
      done.push(...this.#keep(this.policy.tick(this.nowMs)));
    }
    this.nowMs = atMs;
    return done;
  }

  run(ms: number): TurnAction[] {
    return this.runTo(this.nowMs + ms);
  }

  give(input: TurnInput): TurnAction[] {
    return [...this.#keep(this.policy.handle(input, this.nowMs))];
  }

  startSpeech(levelDbfs = -20): TurnAction[] {
    const atSample = this.sampleAt(this.nowMs);
    const done = this.run(START_LAG_MS);
    const event = { atSample, decidedAtSample: this.sampleAt(this.nowMs), atMs: this.nowMs, levelDbfs };
    return [...done, ...this.give({ kind: 'speechStarted', ...event, noiseDbfs: -60 })];
  }

  stopSpeech(levelDbfs = -20): TurnAction[] {
    const atSample = this.sampleAt(this.nowMs);
    const done = this.run(STOP_LAG_MS);
    const event = { atSample, decidedAtSample: this.sampleAt(this.nowMs), atMs: this.nowMs, levelDbfs };
    return [...done, ...this.give({ kind: 'speechStopped', ...event, noiseDbfs: -60 })];
  }

  /** A whole burst of speech, `ms` long; afterwards STOP_LAG_MS of silence have passed. */
  speech(ms: number, levelDbfs = -20): TurnAction[] {
    const started = this.startSpeech(levelDbfs);
    return [...started, ...this.run(ms - START_LAG_MS), ...this.stopSpeech(levelDbfs)];
  }

  transcript(text: string, isReplyResumable = false, isPartial = false): TurnAction[] {
    return this.give({ kind: 'transcript', turnId: this.policy.turnId, text, isPartial, isReplyResumable });
  }

  playFirst(): TurnAction[] {
    return this.give({ kind: 'firstSamplePlayed', turnId: this.policy.turnId, atMs: this.nowMs });
  }

  finishReply(): TurnAction[] {
    return this.give({ kind: 'replyDone', turnId: this.policy.turnId });
  }

  /** A call that has been answered, greeted, and now listens. */
  static listening(config: Partial<TurnConfig> = {}): Scene {
    const scene = new Scene(config);
    scene.give({ kind: 'answered', hasGreeting: true });
    scene.run(50);
    scene.playFirst();
    scene.run(2000);
    scene.finishReply();
    return scene;
  }

  /** A call in which the agent speaks its answer. */
  static speaking(config: Partial<TurnConfig> = {}): Scene {
    const scene = Scene.listening(config);
    scene.run(500);
    scene.speech(1000);
    scene.run(1000);
    scene.transcript('What time is it?');
    scene.run(300);
    scene.playFirst();
    return scene;
  }

  #keep(actions: readonly TurnAction[]): readonly TurnAction[] {
    if (actions.length > 0) this.log.push({ atMs: this.nowMs, actions });
    return actions;
  }
}

function kinds(actions: readonly TurnAction[]): string[] {
  return actions.map(({ kind }) => kind);
}

function only<Kind extends TurnAction['kind']>(actions: readonly TurnAction[], kind: Kind) {
  const found = actions.filter((action) => action.kind === kind);
  expect(found, `one ${kind} in ${kinds(actions)}`).toHaveLength(1);
  return found[0] as Extract<TurnAction, { kind: Kind }>;
}

describe('one turn', () => {
  test('greeting, question, answer, listening again', () => {
    const scene = new Scene();
    expect(scene.give({ kind: 'answered', hasGreeting: true })).toEqual([
      { kind: 'greet', turnId: 1, attempt: 1 },
    ]);
    expect(scene.policy.state).toBe('thinking');
    scene.playFirst();
    expect(scene.policy.state).toBe('speaking');
    scene.run(1500);
    expect(scene.finishReply()).toEqual([{ kind: 'keepHeardWords', turnId: 1 }]);

    scene.run(700);
    const startMs = scene.nowMs;
    scene.speech(1200);
    const asked = only(scene.run(1000), 'startTranscription');
    expect(asked.turnId).toBe(2);
    expect(asked.windows).toHaveLength(1);
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(scene.msOf(asked.windows[0]!.toSample)).toBe(startMs + 1200 + 200);
    expect(scene.log.at(-1)!.atMs).toBe(startMs + 1200 + 400);
    expect(asked).toMatchObject({
      endpointDelayMs: 400,
      speechMs: 1200,
      isForced: false,
      interruptedTurnId: null,
    });

    expect(scene.transcript(' What time is it? ')).toEqual([
      { kind: 'startThinking', turnId: 2, text: 'What time is it?', source: 'speech' },
    ]);
    scene.playFirst();
    scene.run(3000);
    scene.finishReply();
    expect(scene.policy.state).toBe('listening');
    expect(scene.policy.counters).toMatchObject({ turns: 1, failedTurns: 0 });
  });

  test('without a greeting it listens at once', () => {
    const scene = new Scene();
    expect(scene.give({ kind: 'answered', hasGreeting: false })).toEqual([]);
    expect(scene.policy.state).toBe('listening');
    expect(kinds(scene.run(60_000))).toContain('promptNoInput');
  });

  test('a pause within a turn does not end it, and makes the next wait longer', () => {
    const scene = Scene.listening();
    scene.run(100);
    const startMs = scene.nowMs;
    scene.speech(600);
    expect(scene.run(200)).toEqual([]);
    scene.speech(500);
    const asked = only(scene.run(1000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(asked.endpointDelayMs).toBe(550);
    expect(asked.speechMs).toBe(1100);
  });

  test('a short "yes" of 150 ms is heard whole, with its surroundings', () => {
    const scene = Scene.listening();
    scene.run(1000);
    const startMs = scene.nowMs;
    scene.speech(150);
    const asked = only(scene.run(1000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(scene.msOf(asked.windows[0]!.toSample)).toBe(startMs + 350);
    expect(kinds(scene.transcript('Yes.'))).toEqual(['startThinking']);
  });

  test('results of an old turn are ignored', () => {
    const scene = Scene.speaking();
    const turnId = scene.policy.turnId;
    expect(scene.give({ kind: 'replyDone', turnId: turnId - 1 })).toEqual([]);
    expect(scene.give({ kind: 'turnFailed', turnId: turnId - 1 })).toEqual([]);
    expect(
      scene.give({ kind: 'transcript', turnId, text: 'late', isPartial: false, isReplyResumable: false }),
    ).toEqual([]);
    expect(scene.policy.state).toBe('speaking');
  });

  test('hang-up in any state cancels what is under way and asks for nothing more', () => {
    const scene = Scene.speaking();
    expect(kinds(scene.give({ kind: 'hangup' }))).toEqual(['keepHeardWords', 'cancelReply', 'flushDownlink']);
    expect(scene.policy.state).toBe('ended');
    expect(scene.policy.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    scene.speech(1000);
    expect(scene.run(100_000)).toEqual([]);
  });

  test('the last reply is followed by a pause and the hang-up', () => {
    const scene = Scene.speaking();
    scene.give({ kind: 'farewell', turnId: scene.policy.turnId });
    scene.startSpeech();
    expect(scene.run(1000)).toEqual([]);
    expect(kinds(scene.finishReply())).toEqual(['keepHeardWords']);
    expect(scene.run(299)).toEqual([]);
    expect(scene.run(1)).toEqual([{ kind: 'hangUp', reason: 'farewell' }]);
  });
});

describe('barge-in', () => {
  test('is accepted after minSpeechMs of speech, and the utterance begins where the caller did', () => {
    const scene = Scene.speaking();
    const spokenTurn = scene.policy.turnId;
    scene.run(2000);
    const startMs = scene.nowMs;
    scene.startSpeech();
    const actions = scene.run(500);
    expect(kinds(actions)).toEqual(['keepHeardWords', 'cancelReply', 'flushDownlink']);
    expect(scene.log.at(-1)!.atMs).toBe(startMs + 180);
    const flush = only(actions, 'flushDownlink');
    expect(flush.turnId).toBe(spokenTurn);
    expect(scene.msOf(flush.atSample)).toBe(startMs);
    expect(scene.msOf(flush.decidedAtSample)).toBe(startMs + 180);
    scene.run(400);
    scene.stopSpeech();
    const asked = only(scene.run(1000), 'startTranscription');
    expect(asked.interruptedTurnId).toBe(spokenTurn);
    expect(asked.turnId).toBe(spokenTurn + 1);
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(kinds(scene.transcript('Stop.', true))).toEqual(['startThinking']);
    expect(scene.policy.counters).toMatchObject({ accepted: 1, resumed: 0 });
  });

  test('a burst of 75 ms is not one', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(75);
    scene.run(2000);
    expect(scene.policy.state).toBe('speaking');
    expect(scene.policy.counters).toMatchObject({ accepted: 0, rejectedTooShort: 1 });
  });

  test('two bursts close together add up', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    const startMs = scene.nowMs;
    scene.speech(70);
    scene.run(20);
    const actions = [...scene.startSpeech(), ...scene.run(60)];
    expect(kinds(actions)).toContain('flushDownlink');
    scene.stopSpeech();
    const asked = only(scene.run(1000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
  });

  test('in the first moments of a reply it takes longer', () => {
    const scene = Scene.speaking();
    scene.run(100);
    const startMs = scene.nowMs;
    scene.startSpeech();
    expect(kinds(scene.run(1000))).toContain('flushDownlink');
    expect(scene.log.at(-1)!.atMs).toBe(startMs + 350);
  });

  test('speech near the noise, or far below the caller, is an echo or a voice in the background', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(1000, -56);
    scene.run(500);
    scene.speech(1000, -40);
    expect(scene.policy.state).toBe('speaking');
    expect(scene.policy.counters).toMatchObject({ accepted: 0, rejectedTooQuiet: 2 });
  });

  test('a noise leads back to the reply', () => {
    const scene = Scene.speaking();
    const spokenTurn = scene.policy.turnId;
    scene.run(2000);
    scene.speech(300);
    scene.run(1000);
    const actions = scene.transcript('', true);
    expect(actions).toEqual([{ kind: 'resumeReply', turnId: spokenTurn + 2, interruptedTurnId: spokenTurn }]);
    expect(scene.policy.state).toBe('thinking');
    scene.playFirst();
    expect(scene.policy.state).toBe('speaking');
    expect(scene.policy.counters.falseBargeIns).toBe(1);
  });

  test.each(['Mm-hmm.', 'Okay', 'uh-huh, okay'])('"%s" leads back to the reply', (text) => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(300);
    scene.run(1000);
    expect(kinds(scene.transcript(text, true))).toEqual(['resumeReply']);
  });

  test.each(['No', 'Stop', 'Okay stop', 'Yes'])('"%s" does not', (text) => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(300);
    scene.run(1000);
    expect(kinds(scene.transcript(text, true))).toEqual(['startThinking']);
  });

  test('"okay" at the very end of a reply, nothing of which is left, is an answer', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(300);
    scene.run(1000);
    expect(kinds(scene.transcript('Okay', false))).toEqual(['startThinking']);
  });

  test('a "mm-hm" beside words that were lost is not one', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(900);
    scene.run(1000);
    expect(kinds(scene.transcript('Mm-hm', true, true))).toEqual(['askAgain']);
  });

  test('unintelligible speech over a reply that cannot be resumed is asked for again', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(900);
    scene.run(1000);
    expect(kinds(scene.transcript('', false))).toEqual(['askAgain']);
  });

  test('a greeting may be protected; what was said over it counts afterwards', () => {
    const scene = new Scene({ bargeIn: { ...DEFAULT_TURN_CONFIG.bargeIn, isGreetingInterruptible: false } });
    scene.give({ kind: 'answered', hasGreeting: true });
    scene.playFirst();
    scene.run(1000);
    const startMs = scene.nowMs;
    scene.startSpeech();
    expect(scene.run(2000)).toEqual([]);
    scene.finishReply();
    expect(scene.policy.state).toBe('hearing');
    scene.stopSpeech();
    const asked = only(scene.run(1000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
  });
});

describe('a caller who was not finished', () => {
  test('going on while transcribing joins both parts', () => {
    const scene = Scene.listening();
    scene.run(500);
    const startMs = scene.nowMs;
    scene.speech(800);
    only(scene.run(320), 'startTranscription');
    const turnId = scene.policy.turnId;
    const actions = [...scene.startSpeech(), ...scene.run(600)];
    expect(actions).toEqual([{ kind: 'cancelTranscription', turnId }]);
    const endMs = scene.nowMs;
    scene.stopSpeech();
    const asked = only(scene.run(2000), 'startTranscription');
    expect(asked.turnId).toBe(turnId + 1);
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(scene.msOf(asked.windows[0]!.toSample)).toBe(endMs + 200);
    expect(asked.endpointDelayMs).toBeGreaterThan(500);
  });

  test('going on while thinking takes the first part out of the history and asks for both', () => {
    const scene = Scene.listening();
    scene.run(500);
    const startMs = scene.nowMs;
    scene.speech(800);
    scene.run(400);
    scene.transcript('I would like');
    const turnId = scene.policy.turnId;
    scene.run(100);
    const actions = [...scene.startSpeech(), ...scene.run(200)];
    expect(kinds(actions)).toEqual(['cancelReply', 'flushDownlink', 'retractTurn']);
    expect(actions[0]).toEqual({ kind: 'cancelReply', turnId });
    scene.stopSpeech();
    const asked = only(scene.run(2000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(asked.interruptedTurnId).toBeNull();
    expect(scene.policy.counters).toMatchObject({ accepted: 0, resumed: 1 });
  });

  test('when the second hearing finds nothing, the first one counts', () => {
    const scene = Scene.listening();
    scene.run(500);
    scene.speech(800);
    scene.run(400);
    scene.transcript('I would like');
    scene.speech(200);
    scene.run(1000);
    expect(only(scene.transcript(''), 'startThinking').text).toBe('I would like');
  });

  test('speech that began before the first sample of the reply still joins', () => {
    const scene = Scene.listening();
    scene.run(500);
    scene.speech(800);
    scene.run(400);
    scene.transcript('I would like');
    scene.startSpeech();
    scene.playFirst();
    expect(kinds(scene.run(300))).toEqual(['cancelReply', 'flushDownlink', 'retractTurn']);
  });

  test('the wait learned from a cut-off fades', () => {
    const scene = Scene.listening();
    const delays: number[] = [];
    scene.run(500);
    scene.speech(800);
    scene.run(500);
    scene.speech(800);
    for (let turn = 0; turn < 8; turn += 1) {
      delays.push(only(scene.run(1500), 'startTranscription').endpointDelayMs);
      scene.transcript('text');
      scene.playFirst();
      scene.run(500);
      scene.finishReply();
      scene.run(500);
      scene.speech(800);
    }
    expect(delays[0]).toBeGreaterThan(600);
    expect(delays[0]).toBeLessThanOrEqual(DEFAULT_TURN_CONFIG.endpointing.maxDelayMs);
    expect(delays.at(-1)).toBe(400);
  });
});

describe('the end of a reply', () => {
  test('speech going on becomes the next turn, from where it began', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    const startMs = scene.nowMs;
    scene.startSpeech();
    scene.finishReply();
    expect(scene.policy.state).toBe('hearing');
    scene.run(500);
    scene.stopSpeech();
    const asked = only(scene.run(1000), 'startTranscription');
    expect(scene.msOf(asked.windows[0]!.fromSample)).toBe(startMs - 250);
    expect(asked.interruptedTurnId).toBeNull();
  });

  test('a short "yes" that came just before it is not lost', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(70);
    scene.run(100);
    scene.finishReply();
    expect(scene.policy.state).toBe('endpointing');
    expect(only(scene.run(1000), 'startTranscription').speechMs).toBe(70);
  });

  test('one that came long before it is', () => {
    const scene = Scene.speaking();
    scene.run(2000);
    scene.speech(70);
    scene.run(1500);
    scene.finishReply();
    expect(scene.policy.state).toBe('listening');
  });
});

describe('silence', () => {
  test('two prompts, then goodbye and the hang-up', () => {
    const scene = Scene.listening();
    const startMs = scene.nowMs;
    for (const attempt of [1, 2]) {
      expect(scene.run(7_999)).toEqual([]);
      expect(scene.run(1)).toEqual([{ kind: 'promptNoInput', turnId: attempt + 1, attempt }]);
      scene.playFirst();
      scene.run(1000);
      scene.finishReply();
    }
    expect(scene.nowMs).toBe(startMs + 18_000);
    expect(kinds(scene.run(8_000))).toEqual(['sayGoodbye']);
    scene.playFirst();
    scene.run(1000);
    scene.finishReply();
    expect(scene.run(300)).toEqual([{ kind: 'hangUp', reason: 'noInput' }]);
  });

  test('a word from the caller starts the count again, a noise does not', () => {
    const scene = Scene.listening();
    scene.run(8_000);
    scene.playFirst();
    scene.finishReply();
    scene.run(4_000);
    scene.speech(120);
    scene.run(1000);
    expect(scene.transcript('')).toEqual([]);
    expect(scene.policy.state).toBe('listening');
    expect(scene.run(3_000)).toMatchObject([{ kind: 'promptNoInput', attempt: 2 }]);
    scene.playFirst();
    scene.finishReply();
    scene.speech(500);
    scene.run(1000);
    scene.transcript('I am here');
    scene.playFirst();
    scene.finishReply();
    expect(scene.run(8_000)).toMatchObject([{ kind: 'promptNoInput', attempt: 1 }]);
  });

  test('the goodbye that is never played still ends the call', () => {
    const scene = Scene.listening({ noInput: { promptAfterMs: 1000, maxPrompts: 0 } });
    expect(kinds(scene.run(1000))).toEqual(['sayGoodbye']);
    expect(kinds(scene.run(15_000)).at(-1)).toBe('hangUp');
  });
});

describe('speech that does not end', () => {
  test('is cut by maxTurnMs, transcribed in windows of at most 10 s, and not taken for a barge-in', () => {
    const scene = Scene.listening();
    scene.run(500);
    const startMs = scene.nowMs;
    scene.startSpeech();
    const asked = only(scene.run(28_000), 'startTranscription');
    expect(scene.log.at(-1)!.atMs).toBe(startMs + 28_000);
    expect(asked.isForced).toBe(true);
    expect(asked.windows).toHaveLength(3);
    expect(scene.msOf(asked.windows.at(-1)!.toSample)).toBe(startMs + 28_000 - 60);
    for (const { fromSample, toSample } of asked.windows)
      expect((toSample - fromSample) >>> 0).toBeLessThanOrEqual(80_000);
    for (const [index, { fromSample }] of asked.windows.entries()) {
      if (index > 0) expect(fromSample).toBe(asked.windows[index - 1]!.toSample);
    }
    scene.transcript('la la la');
    scene.playFirst();
    expect(scene.run(3000)).toEqual([]);
    expect(scene.policy.state).toBe('speaking');
  });

  test('three times in a row says goodbye: hold music does not keep a call for 80 minutes', () => {
    const scene = Scene.listening();
    const startMs = scene.nowMs;
    scene.startSpeech();
    for (
      let actions = scene.run(28_000);
      !kinds(actions).includes('sayGoodbye');
      actions = scene.run(28_000)
    ) {
      expect(kinds(actions)).toEqual(['startTranscription']);
      scene.transcript('');
      if (scene.policy.state === 'thinking') {
        scene.playFirst();
        scene.finishReply();
      }
      expect(scene.policy.state).toBe('hearing');
    }
    scene.playFirst();
    scene.finishReply();
    expect(scene.run(300)).toEqual([{ kind: 'hangUp', reason: 'endlessSpeech' }]);
    expect(scene.nowMs - startMs).toBeLessThan(100_000);
  });

  test('short bursts without an end are closed as well', () => {
    const scene = Scene.listening();
    const actions: TurnAction[] = [];
    for (let burst = 0; burst < 80; burst += 1) actions.push(...scene.speech(300), ...scene.run(100));
    expect(actions.find(({ kind }) => kind === 'startTranscription')).toMatchObject({ isForced: true });
  });

  test('a turn of which words are missing is asked for again twice, then it is answered as far as it was heard', () => {
    const scene = Scene.listening();
    for (const expected of ['askAgain', 'askAgain', 'startThinking']) {
      scene.run(100);
      scene.speech(800);
      scene.run(1000);
      expect(kinds(scene.transcript('a table for', false, true))).toEqual([expected]);
      scene.playFirst();
      scene.run(500);
      scene.finishReply();
    }
  });

  test('an unintelligible turn is asked for again twice, then it waits', () => {
    const scene = Scene.listening();
    for (const expected of [['askAgain'], ['askAgain'], []]) {
      scene.run(100);
      scene.speech(800);
      scene.run(1000);
      expect(kinds(scene.transcript(''))).toEqual(expected);
      if (scene.policy.state === 'thinking') {
        scene.playFirst();
        scene.run(500);
        scene.finishReply();
      }
    }
    expect(scene.policy.state).toBe('listening');
  });
});

describe('failures', () => {
  test('a failed turn is apologised for; three in a row end the call', () => {
    const scene = Scene.listening();
    for (const expected of ['apologise', 'apologise', 'sayGoodbye']) {
      scene.run(100);
      scene.speech(800);
      scene.run(1000);
      const actions = scene.give({ kind: 'turnFailed', turnId: scene.policy.turnId });
      expect(kinds(actions)).toEqual(['cancelTranscription', expected]);
      scene.playFirst();
      scene.run(500);
      scene.finishReply();
    }
    expect(scene.run(300)).toEqual([{ kind: 'hangUp', reason: 'failed' }]);
  });

  test('an answer in between clears the count', () => {
    const scene = Scene.listening();
    for (let turn = 0; turn < 10; turn += 1) {
      scene.run(100);
      scene.speech(800);
      scene.run(1000);
      if (turn % 2 === 0) scene.give({ kind: 'turnFailed', turnId: scene.policy.turnId });
      else scene.transcript('hello');
      scene.playFirst();
      scene.finishReply();
    }
    expect(scene.policy.state).toBe('listening');
  });

  test('a TTS that fails even the apology and the goodbye ends the call', () => {
    const scene = Scene.listening();
    scene.speech(800);
    scene.run(1000);
    scene.transcript('hello');
    const kindsSeen: string[] = [];
    for (let i = 0; i < 4; i += 1)
      kindsSeen.push(...kinds(scene.give({ kind: 'turnFailed', turnId: scene.policy.turnId })));
    expect(kindsSeen.filter((kind) => kind === 'apologise')).toHaveLength(2);
    expect(kindsSeen.at(-1)).toBe('hangUp');
    expect(scene.policy.state).toBe('ended');
  });

  test.each([
    ['transcribing', 15_000],
    ['thinking', 20_000],
    ['speaking', 120_000],
  ] as const)('nothing is stuck in %s', (state, longestMs) => {
    const scene = Scene.listening();
    scene.speech(800);
    scene.run(1000);
    if (state !== 'transcribing') scene.transcript('hello');
    if (state === 'speaking') scene.playFirst();
    expect(scene.policy.state).toBe(state);
    expect(kinds(scene.run(longestMs))).toContain('apologise');
    expect(scene.policy.counters.watchdogs).toBe(1);
  });
});

describe('keys', () => {
  test('digits ended by # are answered like speech', () => {
    const scene = Scene.listening();
    for (const digit of '42') expect(scene.give({ kind: 'dtmf', digit })).toEqual([]);
    expect(scene.policy.state).toBe('keying');
    const turnId = scene.policy.turnId + 1;
    expect(scene.give({ kind: 'dtmf', digit: '#' })).toEqual([
      { kind: 'startThinking', turnId, text: 'four two', source: 'digits' },
    ]);
  });

  test('a pause ends the entry', () => {
    const scene = Scene.listening();
    scene.give({ kind: 'dtmf', digit: '7' });
    expect(scene.run(2_499)).toEqual([]);
    expect(only(scene.run(1), 'startThinking').text).toBe('seven');
  });

  test('a key stops the agent at once', () => {
    const scene = Scene.speaking();
    scene.run(1000);
    const actions = scene.give({ kind: 'dtmf', digit: '1' });
    expect(kinds(actions)).toEqual(['keepHeardWords', 'cancelReply', 'flushDownlink']);
  });

  test('* clears and listens', () => {
    const scene = Scene.listening();
    scene.give({ kind: 'dtmf', digit: '1' });
    scene.give({ kind: 'dtmf', digit: '*' });
    expect(scene.policy.state).toBe('listening');
    expect(kinds(scene.run(8_000))).toEqual(['promptNoInput']);
  });

  test('tones that leak into the audio do not start a turn', () => {
    const scene = Scene.listening();
    scene.give({ kind: 'dtmf', digit: '1' });
    scene.speech(150);
    scene.give({ kind: 'dtmf', digit: '#' });
    expect(scene.policy.state).toBe('thinking');
  });

  test('A-D change nothing', () => {
    const scene = Scene.speaking();
    expect(scene.give({ kind: 'dtmf', digit: 'A' })).toEqual([]);
    expect(scene.policy.state).toBe('speaking');
  });
});
