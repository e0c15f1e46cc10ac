/**
 * The turn-taking of one call: takes what happened, keeps the turn machine and the deadlines, returns what to do.
 * Thread: main. Pure: the clock is passed in, and `nextDeadlineMs` says when `tick` is wanted, so that the
 * conversation needs one timer. Walk: "One turn" and "One barge-in".
 */
import { type BargeIn, type BargeInCounters, BargeInJudge, isBackchannel } from './barge-in.ts';
import { type ActionContext, CurrentTurn, type FlushPositions, type PromptKind } from './current-turn.ts';
import { type DigitResult, DtmfCollector } from './dtmf-collector.ts';
import { longestStayMs, NoInputGuard } from './guards.ts';
import type { TurnConfig } from './turn-config.ts';
import { accepts, step, type TurnEvent, type TurnState } from './turn-machine.ts';
import type { SpeechEvent, TurnAction, TurnInput } from './turn-messages.ts';
import { CallerSpeech, type HeardSpeech } from './utterance.ts';

export interface TurnPolicyOptions {
  readonly config: TurnConfig;
  /** Rate of the uplink tape. */
  readonly rateHz: number;
  /** Position of the tape's first sample. */
  readonly tapeStartSample: number;
}

export interface TurnCounters extends BargeInCounters {
  readonly turns: number;
  readonly falseBargeIns: number;
  readonly forcedTurns: number;
  readonly failedTurns: number;
  readonly watchdogs: number;
}

type InputOf<Kind extends TurnInput['kind']> = Extract<TurnInput, { readonly kind: Kind }>;
type Handlers = { readonly [Kind in TurnInput['kind']]: (input: InputOf<Kind>) => void };

const NEVER_MS = Number.POSITIVE_INFINITY;
/** Each expiry moves the machine on or clears its deadline. */
const MAX_EXPIRIES = 8;

/** One per call. Not re-entrant: run the actions after handle() or tick() has returned. */
export class TurnPolicy {
  readonly #config: TurnConfig;
  readonly #speech: CallerSpeech;
  readonly #judge: BargeInJudge;
  readonly #noInput: NoInputGuard;
  readonly #digits: DtmfCollector;
  readonly #turn = new CurrentTurn();
  readonly #counters = { turns: 0, falseBargeIns: 0, forcedTurns: 0, failedTurns: 0, watchdogs: 0 };

  #state: TurnState = 'idle';
  #nowMs = 0;
  #actions: TurnAction[] = [];
  /** The watchdog, or the linger, of the present state. */
  #stateDeadlineMs = NEVER_MS;

  /** Speech that was going on when the floor was taken from the caller: not a barge-in. */
  #isCarriedOver = false;
  #bargeIn: BargeIn | null = null;
  #isForced = false;

  #askAgainsInRow = 0;
  #forcedInRow = 0;
  #failedInRow = 0;

  constructor(options: TurnPolicyOptions) {
    this.#config = options.config;
    this.#speech = new CallerSpeech(options.config, options.rateHz, options.tapeStartSample);
    this.#judge = new BargeInJudge(options.config.bargeIn, options.rateHz);
    this.#noInput = new NoInputGuard(options.config.noInput);
    this.#digits = new DtmfCollector(options.config.digits);
  }

  get state(): TurnState {
    return this.#state;
  }

  /** The turn under way; work of other turns is stale. */
  get turnId(): number {
    return this.#turn.turnId;
  }

  get counters(): TurnCounters {
    return { ...this.#counters, ...this.#judge.counters };
  }

  /** When tick() is wanted if nothing happens before; Infinity when never. */
  get nextDeadlineMs(): number {
    switch (this.#state) {
      case 'listening':
        return this.#noInput.deadlineMs;
      case 'hearing':
        return this.#speech.forcedAtMs;
      case 'endpointing':
        return Math.min(this.#speech.endpointAtMs, this.#speech.forcedAtMs);
      case 'keying':
        return this.#digits.deadlineMs;
      default:
        return Math.min(this.#stateDeadlineMs, this.#bargeInAtMs());
    }
  }

  /**
   * Something happened. Results of turns that are no longer wanted are ignored.
   * @returns what to do, in order
   */
  handle(input: TurnInput, nowMs: number): readonly TurnAction[] {
    this.#actions = [];
    this.#nowMs = nowMs;
    const isStale = 'turnId' in input && input.turnId !== this.#turn.turnId;
    if (!isStale) (this.#handlers[input.kind] as (input: TurnInput) => void)(input);
    this.#expireAll();
    return this.#actions;
  }

  /** Time has passed. @returns what to do, in order */
  tick(nowMs: number): readonly TurnAction[] {
    this.#actions = [];
    this.#nowMs = nowMs;
    this.#expireAll();
    return this.#actions;
  }

  readonly #handlers: Handlers = {
    answered: ({ hasGreeting }) => this.#onAnswered(hasGreeting),
    speechStarted: (event) => this.#onSpeechStarted(event),
    speechStopped: (event) => this.#onSpeechStopped(event),
    dtmf: ({ digit }) => this.#onDigit(digit),
    transcript: (transcript) => this.#onTranscript(transcript),
    firstSamplePlayed: ({ atMs }) => this.#onFirstSamplePlayed(atMs),
    replyDone: () => this.#onReplyDone(),
    turnFailed: () => this.#onTurnFailed(),
    farewell: () => this.#step('farewell'),
    hangup: () => this.#step('hangup'),
  };

  // ---- the caller's speech ----------------------------------------------------------------------------

  #onSpeechStarted(event: SpeechEvent): void {
    this.#speech.note(event);
    this.#isCarriedOver = false;
    if (this.#state === 'listening') {
      this.#beginUtterance(event.atSample);
      this.#step('speechStarted');
    } else if (this.#state === 'endpointing') {
      this.#speech.utterance?.resume(event.atSample);
      this.#step('speechStarted');
    } else if (accepts(this.#state, 'bargeInAccepted')) {
      this.#judge.speechStarted(event);
    }
  }

  #onSpeechStopped(event: SpeechEvent): void {
    this.#speech.note(event);
    const isJudged = !this.#isCarriedOver;
    this.#isCarriedOver = false;
    if (this.#state === 'hearing') {
      this.#speech.utterance?.stop(event.atSample, event.levelDbfs);
      this.#step('speechStopped');
    } else if (isJudged) {
      this.#judge.speechStopped(event);
    }
  }

  #beginUtterance(startSample: number): void {
    this.#turn.retractedText = '';
    this.#speech.begin(startSample);
  }

  /** Speech over the agent has been accepted: the caller goes on with his turn, or begins a new one. */
  #takeFloor(bargeIn: BargeIn): void {
    this.#bargeIn = bargeIn;
    const isReplyMade = this.#state !== 'transcribing';
    const resumed = bargeIn.isResumed ? this.#speech.utterance : null;
    if (resumed === null) {
      if (isReplyMade) this.#turn.interruptedTurnId = this.#turn.turnId;
      this.#beginUtterance(bargeIn.atSample);
    } else {
      if (isReplyMade) this.#turn.retractedText = this.#turn.text;
      this.#speech.endpointer.onCutOff(resumed.resume(bargeIn.atSample));
    }
    this.#adoptStretches(bargeIn);
    this.#step(resumed === null ? 'bargeInAccepted' : 'callerResumed');
    if (bargeIn.openSince === null) this.#step('speechStopped');
  }

  /** Makes the bursts that were judged part of the utterance. */
  #adoptStretches(speech: BargeIn): void {
    for (const stretch of speech.stretches) {
      this.#speech.utterance?.resume(stretch.startSample);
      this.#speech.utterance?.stop(stretch.endSample, speech.levelDbfs);
    }
    if (speech.openSince !== null) this.#speech.utterance?.resume(speech.openSince);
  }

  // ---- what else happens ------------------------------------------------------------------------------

  #onAnswered(hasGreeting: boolean): void {
    this.#noInput.arm(this.#nowMs);
    this.#step(hasGreeting ? 'answered' : 'answeredSilently');
  }

  #onTranscript({ text, isPartial, isReplyResumable }: InputOf<'transcript'>): void {
    if (this.#state !== 'transcribing') return;
    const words = text.trim() || this.#turn.retractedText;
    const canResume = this.#turn.interruptedTurnId !== null && isReplyResumable && !isPartial;
    if (canResume && (words === '' || isBackchannel(words, this.#config.bargeIn.backchannels))) {
      this.#counters.falseBargeIns += 1;
      this.#step('falseBargeIn');
    } else if (words === '' || (isPartial && this.#wasSpeech())) {
      this.#step(this.#wasSpeech() ? 'transcriptUnclear' : 'transcriptEmpty');
    } else {
      this.#onWords(words);
    }
  }

  /** Whether what is missing is worth asking again for; otherwise it was a noise, or was asked for in vain. */
  #wasSpeech(): boolean {
    const { unclearMinSpeechMs, maxAskAgain } = this.#config.guards;
    const speechMs = this.#speech.utterance?.speechMs ?? 0;
    return speechMs >= unclearMinSpeechMs && this.#askAgainsInRow < maxAskAgain;
  }

  #onWords(words: string): void {
    this.#turn.text = words;
    this.#turn.textSource = 'speech';
    this.#turn.interruptedTurnId = null;
    this.#askAgainsInRow = 0;
    this.#noInput.onInput();
    this.#speech.endpointer.onTurnCompleted();
    if (this.#speech.utterance !== null) this.#judge.learnCallerLevel(this.#speech.utterance.levelDbfs);
    this.#step('transcriptReady');
  }

  #onFirstSamplePlayed(atMs: number): void {
    this.#judge.onFirstSamplePlayed(atMs);
    this.#step('firstSamplePlayed');
  }

  #onReplyDone(): void {
    if (this.#turn.replyKind === 'answer') this.#failedInRow = 0;
    this.#turn.interruptedTurnId = null;
    this.#noInput.arm(this.#nowMs);
    this.#step('replyDone');
  }

  #onTurnFailed(): void {
    if (!accepts(this.#state, 'turnFailed')) return;
    this.#counters.failedTurns += 1;
    this.#failedInRow += 1;
    const isTooMany = this.#failedInRow >= this.#config.guards.maxFailedTurns;
    if (isTooMany) this.#turn.hangUpReason = 'failed';
    this.#step(isTooMany && accepts(this.#state, 'turnsExhausted') ? 'turnsExhausted' : 'turnFailed');
  }

  #onDigit(digit: string): void {
    if (!accepts(this.#state, 'digitPressed')) return;
    const result = this.#digits.push(digit, this.#nowMs);
    if (result.kind === 'ignored') return;
    this.#turn.interruptedTurnId = null;
    this.#speech.forget();
    this.#bargeIn = null;
    this.#step('digitPressed');
    this.#onDigits(result);
  }

  #onDigits(result: DigitResult): void {
    if (result.kind === 'entered') {
      this.#turn.text = result.text;
      this.#turn.textSource = 'digits';
      this.#noInput.onInput();
      this.#step('digitsEntered');
    } else if (result.kind === 'cleared') {
      this.#noInput.arm(this.#nowMs);
      this.#step('digitsCleared');
    }
  }

  // ---- time -------------------------------------------------------------------------------------------

  #expireAll(): void {
    for (let expiries = 0; expiries < MAX_EXPIRIES && this.nextDeadlineMs <= this.#nowMs; expiries += 1) {
      this.#expire();
    }
  }

  #expire(): void {
    switch (this.#state) {
      case 'listening':
        this.#onSilence(this.#noInput.expire());
        break;
      case 'hearing':
      case 'endpointing':
        this.#onTurnOver(this.#state === 'hearing' || this.#speech.endpointAtMs > this.#nowMs);
        break;
      case 'keying':
        this.#onDigits(this.#digits.tick(this.#nowMs));
        break;
      case 'leaving':
        this.#step('lingerElapsed');
        break;
      default:
        this.#expireReply();
    }
  }

  #expireReply(): void {
    const bargeIn = this.#bargeInAtMs() <= this.#nowMs ? this.#judge.decide(this.#nowMs) : null;
    if (bargeIn !== null) {
      this.#takeFloor(bargeIn);
    } else {
      this.#counters.watchdogs += 1;
      this.#onTurnFailed();
    }
  }

  #onSilence(event: 'noInputTimeout' | 'noInputExhausted'): void {
    if (event === 'noInputExhausted') this.#turn.hangUpReason = 'noInput';
    this.#step(event);
  }

  /** The caller paused long enough, or, by force, has spoken for too long. */
  #onTurnOver(isForced: boolean): void {
    this.#isForced = isForced;
    this.#forcedInRow = isForced ? this.#forcedInRow + 1 : 0;
    this.#counters.forcedTurns += isForced ? 1 : 0;
    const isTooMany = this.#forcedInRow >= this.#config.guards.maxForcedTurns;
    if (isTooMany) this.#turn.hangUpReason = 'endlessSpeech';
    this.#step(isTooMany ? 'turnsExhausted' : 'endpointReached');
  }

  #bargeInAtMs(): number {
    const { isGreetingInterruptible } = this.#config.bargeIn;
    if (this.#turn.replyKind === 'greeting' && !isGreetingInterruptible) return NEVER_MS;
    return accepts(this.#state, 'bargeInAccepted') ? this.#judge.deadlineMs : NEVER_MS;
  }

  // ---- the machine ------------------------------------------------------------------------------------

  #step(event: TurnEvent): void {
    if (!accepts(this.#state, event)) return;
    const previous = this.#state;
    const { next, actions } = step(previous, event);
    this.#state = next;
    for (const kind of actions) this.#actions.push(this.#turn.build(kind, this.#context));
    this.#stateDeadlineMs = this.#nowMs + longestStayMs(next, this.#config.guards);
    if (next === 'transcribing' || (next === 'thinking' && previous !== 'transcribing')) this.#onFloorTaken();
    if (next === 'listening') this.#onListening();
  }

  readonly #context: ActionContext = {
    heard: () => this.#finishUtterance(),
    flush: () => this.#flushPositions(),
    attempt: (kind) => this.#attemptOf(kind),
  };

  #finishUtterance(): HeardSpeech {
    this.#counters.turns += 1;
    return this.#speech.finish(this.#nowMs, this.#isForced);
  }

  #flushPositions(): FlushPositions {
    const nowSample = this.#speech.sampleAt(this.#nowMs);
    const { atSample, decidedAtSample } = this.#bargeIn ?? {
      atSample: nowSample,
      decidedAtSample: nowSample,
    };
    return { atSample, decidedAtSample };
  }

  #attemptOf(kind: PromptKind): number {
    if (kind === 'askAgain') this.#askAgainsInRow += 1;
    const attempts = {
      greet: 1,
      sayGoodbye: 1,
      askAgain: this.#askAgainsInRow,
      promptNoInput: this.#noInput.prompts,
      apologise: this.#failedInRow,
    };
    return attempts[kind];
  }

  /** The agent has the floor. What the caller was saying at that moment is not a barge-in. */
  #onFloorTaken(): void {
    this.#judge.onFloorTaken();
    this.#isCarriedOver = this.#speech.isActive;
    this.#bargeIn = null;
  }

  /** The floor is the caller's; he may already be speaking, or have answered a moment before the reply ended. */
  #onListening(): void {
    this.#turn.replyKind = 'none';
    this.#speech.forget();
    if (this.#noInput.deadlineMs === NEVER_MS) this.#noInput.arm(this.#nowMs);
    const late = this.#judge.takeLateSpeech(this.#nowMs);
    if (late === null && !this.#speech.isActive) return;
    this.#isCarriedOver = false;
    this.#beginUtterance(late?.atSample ?? this.#speech.sampleAt(this.#nowMs));
    if (late !== null) this.#adoptStretches(late);
    this.#step('speechStarted');
    if (!this.#speech.isActive) this.#step('speechStopped');
  }
}
