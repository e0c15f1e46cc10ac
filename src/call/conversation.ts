/**
 * What is said in one call: hands events to the turn policy and carries out what it decides with the engines.
 * No sockets, no SIP; owns one timer. Thread: main. Walk: "One turn" and "One barge-in".
 */
import type { MediaEvent } from '../media/media-protocol.ts';
import { monotonicMs } from '../observability/clock.ts';
import { RingController } from '../ring-buffers/ring.ts';
import { TapeReader } from '../ring-buffers/tape.ts';
import { SentenceSplitter, splitSentences } from '../turn/sentence-splitter.ts';
import { Transcript } from '../turn/transcript.ts';
import type { HangUpReason, SpeechEvent, TurnAction, TurnInput } from '../turn/turn-messages.ts';
import { TurnPolicy } from '../turn/turn-policy.ts';
import type { CancelWord, Spoken } from '../workers/protocol.ts';
import type { ConversationOptions } from './call-dependencies.ts';
import { type HeardWords, heardWords } from './heard-words.ts';
import type { GenerateRequest } from './ports.ts';
import { Reply } from './reply.ts';
import type { TurnOutcome, TurnReport } from './reports.ts';
import { type BargeInTimes, type SpeechEnd, TurnTimeline } from './turn-timeline.ts';

type ActionOf<Kind extends TurnAction['kind']> = Extract<TurnAction, { kind: Kind }>;
/** What a reply answers, and how much of it there is. */
type Written = Pick<GenerateRequest, 'messages' | 'replyPrefix'>;
type PromptKind = 'greet' | 'askAgain' | 'promptNoInput' | 'apologise' | 'sayGoodbye';

/** Characters of history kept for LLaMA: about 1,000 tokens of a small vocabulary stay well below this. */
export const MAX_HISTORY_CHARS = 6_000;
const RATE_HZ = 8000;

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #policy: TurnPolicy;
  readonly #transcript: Transcript;
  readonly #controller: RingController;
  /** One word per call; see CancelWord. */
  readonly #cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  #reply: Reply | null = null;
  #timeline: TurnTimeline | null = null;
  /** The barge-in that the next turn will be reported with. */
  #bargeIn: BargeInTimes | null = null;
  /** A barge-in whose silence has not gone out yet. */
  #silencing: BargeInTimes | null = null;
  #timer: NodeJS.Timeout | null = null;
  #greetingAtMs: number | null = null;
  /** When the newest key came. */
  #keyedAtMs = 0;
  #isClosed = false;
  /** Sentences under way to the ring, of this reply and of those before. */
  readonly #sentences = new Set<Promise<Spoken>>();

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#controller = new RingController(options.downlink);
    this.#policy = new TurnPolicy({
      config: options.turnConfig,
      rateHz: RATE_HZ,
      tapeStartSample: new TapeReader(options.uplink).oldestPositionSamples,
    });
    this.#transcript = new Transcript({
      rateHz: RATE_HZ,
      systemPrompt: options.agent.systemPrompt,
      maxHistoryChars: MAX_HISTORY_CHARS,
    });
  }

  /** INVITE to the first packet of the greeting, ms; 0 when nothing was said yet. */
  get greetingMs(): number {
    return this.#greetingAtMs === null ? 0 : this.#greetingAtMs - this.#options.invitedAtMs;
  }

  get turns(): number {
    return this.#policy.counters.turns;
  }

  /** The call is up. */
  start(): void {
    this.#handle({ kind: 'answered', hasGreeting: this.#options.agent.greeting !== '' });
  }

  onSpeech(event: SpeechEvent): void {
    this.#handle(event);
  }

  onMediaEvent(event: MediaEvent): void {
    switch (event.kind) {
      case 'dtmf':
        this.#keyedAtMs = monotonicMs();
        return this.#handle({ kind: 'dtmf', digit: event.digit });
      case 'playoutStarted':
        return this.#onPlayoutStarted(event);
      case 'playoutDrained':
        if (this.#silencing !== null) this.#silencing.silentAtMs = event.atMs;
        this.#silencing = null;
        return this.#reply?.settle();
    }
  }

  /** The call is over: cancels all work and stops the timer. Safe to call more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#handle({ kind: 'hangup' });
    this.#isClosed = true;
    this.#finishTurn('hungUp');
    this.#cancelThrough(2 ** 31 - 1);
    this.#reply?.abandon();
    this.#reply = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Resolves when no sentence is being written any more. */
  async spokenOut(): Promise<void> {
    while (this.#sentences.size > 0) await Promise.allSettled(this.#sentences);
  }

  // ---- policy and time ----------------------------------------------------------------------------------

  #handle(input: TurnInput): void {
    if (this.#isClosed) return;
    this.#carryOut(this.#policy.handle(input, monotonicMs()));
  }

  #carryOut(actions: readonly TurnAction[]): void {
    // What the agent itself gives up is not interrupted by the caller.
    const isGivenUp = actions.some(({ kind }) => kind === 'apologise' || kind === 'sayGoodbye');
    for (const action of actions) this.#perform(action, isGivenUp);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const deadlineMs = this.#policy.nextDeadlineMs;
    if (this.#isClosed || deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, Math.ceil(deadlineMs - monotonicMs()));
    this.#timer = setTimeout(() => this.#carryOut(this.#policy.tick(monotonicMs())), delayMs);
  }

  #perform(action: TurnAction, isGivenUp: boolean): void {
    switch (action.kind) {
      case 'startTranscription':
        return this.#startTranscription(action);
      case 'startThinking':
        return this.#startThinking(action);
      case 'cancelTranscription':
      case 'cancelReply':
        return this.#cancelTurn(action.turnId);
      case 'flushDownlink':
        return this.#flush(isGivenUp);
      case 'keepHeardWords':
        return this.#transcript.settleReply(action.turnId, this.#controller.readIndex);
      case 'retractTurn':
        return this.#transcript.retract(action.turnId);
      case 'resumeReply':
        return this.#resumeReply(action);
      case 'hangUp':
        return this.#hangUp(action.reason);
      default:
        if (isGivenUp) this.#finishTurn('failed');
        return this.#prompt(action);
    }
  }

  // ---- listening ----------------------------------------------------------------------------------------

  #startTranscription(action: ActionOf<'startTranscription'>): void {
    const { speechEndSample: endSample, endpointDelayMs } = action;
    this.#beginTurn(action.turnId, 'speech', { endSample, endpointDelayMs });
    this.#transcribe(action).then(
      (heard) => this.#onTranscript(action, heard),
      (error: unknown) => this.#onFailed(action.turnId, 'whisper', error),
    );
  }

  async #transcribe(action: ActionOf<'startTranscription'>): Promise<HeardWords> {
    const { callId, uplink, engines } = this.#options;
    const timeline = this.#timeline;
    const results = await Promise.all(
      action.windows.map((window) =>
        engines.whisper.transcribe({
          callId,
          turnId: action.turnId,
          uplink,
          ...window,
          cancel: this.#cancel,
        }),
      ),
    );
    for (const result of results) if (result.kind === 'transcript') timeline?.onTranscript(result);
    return heardWords(results);
  }

  #onTranscript(action: ActionOf<'startTranscription'>, heard: HeardWords): void {
    const { turnId } = action;
    this.#handle({ kind: 'transcript', turnId, ...heard, isReplyResumable: this.#isResumable(action) });
    if (this.#policy.state === 'listening' && this.#policy.turnId === turnId)
      this.#finishTurn('nothingHeard');
  }

  #isResumable(action: ActionOf<'startTranscription'>): boolean {
    const { interruptedTurnId } = action;
    if (interruptedTurnId === null) return false;
    const isUnheard = this.#transcript.unheardSentences(interruptedTurnId).length > 0;
    return isUnheard || !this.#transcript.isGenerated(interruptedTurnId);
  }

  // ---- replying -----------------------------------------------------------------------------------------

  #startThinking(action: ActionOf<'startThinking'>): void {
    if (action.source === 'digits') {
      const endpointDelayMs = monotonicMs() - this.#keyedAtMs;
      this.#beginTurn(action.turnId, 'dtmf', { endSample: null, endpointDelayMs });
    }
    this.#timeline?.onThinking(action.text, monotonicMs());
    this.#transcript.addUser(action.turnId, action.text);
    const reply = this.#newReply(action.turnId);
    this.#generate(action.turnId, reply, { messages: this.#transcript.messages(), replyPrefix: '' });
  }

  /** Says again what was not heard of a reply, and goes on where its writing was stopped. */
  #resumeReply({ turnId, interruptedTurnId }: ActionOf<'resumeReply'>): void {
    const unheard = this.#transcript.unheardSentences(interruptedTurnId);
    if (this.#transcript.isGenerated(interruptedTurnId)) return this.#speak(turnId, unheard);
    const rest = this.#transcript.continuationOf(interruptedTurnId);
    const reply = this.#newReply(turnId);
    if (unheard.length > 0) this.#timeline?.onSentence(monotonicMs());
    for (const sentence of unheard) reply.say(sentence);
    this.#generate(turnId, reply, rest);
  }

  #generate(turnId: number, reply: Reply, written: Written): void {
    this.#write(turnId, reply, written).catch((error: unknown) => this.#onFailed(turnId, 'llama', error));
  }

  async #write(turnId: number, reply: Reply, { messages, replyPrefix }: Written): Promise<void> {
    const { callId, engines, agent } = this.#options;
    const splitter = new SentenceSplitter();
    // Of a reply taken up again the caller waits for no token.
    const timeline = this.#timeline;
    const stages = replyPrefix === '' ? timeline : null;
    let spoken = replyPrefix;
    const say = (sentences: readonly string[]): void => {
      if (sentences.length > 0) timeline?.onSentence(monotonicMs());
      for (const sentence of sentences) reply.say(sentence);
    };
    const outcome = await engines.llama.generate(
      { callId, turnId, messages, replyPrefix, cancel: this.#cancel },
      (text) => {
        stages?.onText(monotonicMs());
        spoken += text;
        say(splitter.push(text));
      },
    );
    stages?.onGenerated(outcome.queueMs, outcome.firstTokenMs);
    if (outcome.reason === 'cancelled') return;
    say(splitter.flush());
    // Before the reply can be done: afterwards the policy would listen again.
    if (isFarewell(spoken, agent.goodbye)) this.#handle({ kind: 'farewell', turnId });
    // What was taken up again may have been whole already.
    if (replyPrefix !== '' && reply.isEmpty) this.#onReplyDone(turnId);
    else reply.complete();
  }

  #prompt(action: ActionOf<PromptKind>): void {
    const { agent } = this.#options;
    const texts: Record<PromptKind, string> = {
      greet: agent.greeting,
      askAgain: agent.apology,
      apologise: agent.apology,
      promptNoInput: agent.noInputPrompt,
      sayGoodbye: agent.goodbye,
    };
    this.#speak(action.turnId, splitSentences(texts[action.kind]));
  }

  #speak(turnId: number, sentences: readonly string[]): void {
    const reply = this.#newReply(turnId);
    this.#timeline?.onSentence(monotonicMs());
    for (const sentence of sentences) reply.say(sentence);
    reply.complete();
  }

  #newReply(turnId: number): Reply {
    const { callId, engines, agent, downlink } = this.#options;
    this.#reply?.abandon();
    this.#reply = new Reply({
      callId,
      turnId,
      tts: { speak: (task) => this.#track(engines.tts.speak(task)) },
      voice: agent.voice,
      speed: agent.speed,
      downlink,
      controller: this.#controller,
      cancel: this.#cancel,
      transcript: this.#transcript,
      onSpoken: (spoken) => this.#timeline?.onSpoken(spoken),
      onDone: () => this.#onReplyDone(turnId),
      onFailed: (error) => this.#onFailed(turnId, 'tts', error),
    });
    return this.#reply;
  }

  #track(spoken: Promise<Spoken>): Promise<Spoken> {
    this.#sentences.add(spoken);
    const forget = (): void => void this.#sentences.delete(spoken);
    spoken.then(forget, forget);
    return spoken;
  }

  #onPlayoutStarted(event: Extract<MediaEvent, { kind: 'playoutStarted' }>): void {
    this.#silencing = null;
    const reply = this.#reply;
    if (reply?.owns(event.ringIndex) !== true) return;
    this.#greetingAtMs ??= event.atMs;
    this.#timeline?.onFirstPacket(event);
    this.#handle({ kind: 'firstSamplePlayed', turnId: reply.turnId, atMs: event.atMs });
  }

  // The report comes first: the policy may begin the next turn at once, with what was said towards the end.
  #onReplyDone(turnId: number): void {
    this.#transcript.settleReply(turnId, this.#controller.readIndex);
    this.#finishTurn('replied');
    this.#handle({ kind: 'replyDone', turnId });
  }

  #onFailed(turnId: number, stage: string, error: unknown): void {
    if (this.#isClosed || turnId !== this.#policy.turnId) return;
    const { callId, log } = this.#options;
    log.warn({ callId, turnId, stage, error: String(error) }, 'a turn failed');
    this.#finishTurn('failed');
    this.#handle({ kind: 'turnFailed', turnId });
  }

  // ---- stopping -----------------------------------------------------------------------------------------

  #cancelTurn(turnId: number): void {
    this.#cancelThrough(turnId);
    this.#reply?.abandon();
  }

  #cancelThrough(turnId: number): void {
    Atomics.store(this.#cancel, 0, turnId);
  }

  #flush(isGivenUp: boolean): void {
    const wasPlaying = this.#controller.playableSamples > 0;
    this.#controller.requestFlush();
    if (this.#policy.state === 'ended') return this.#finishTurn('hungUp');
    if (isGivenUp) return this.#finishTurn('failed');
    if (wasPlaying) {
      this.#bargeIn = { decidedAtMs: monotonicMs(), silentAtMs: null };
      this.#silencing = this.#bargeIn;
    }
    this.#finishTurn(wasPlaying ? 'bargedIn' : 'superseded');
  }

  #hangUp(reason: HangUpReason): void {
    this.#options.hangUp(reason);
  }

  // ---- the timeline ---------------------------------------------------------------------------------------

  #beginTurn(turnId: number, input: TurnReport['input'], end: SpeechEnd): void {
    this.#finishTurn('superseded');
    const { callId, sipCallId } = this.#options;
    const bargeIn = this.#bargeIn;
    this.#bargeIn = null;
    this.#timeline = new TurnTimeline({
      callId,
      sipCallId,
      turnId,
      input,
      decidedAtMs: monotonicMs(),
      end,
      bargeIn,
    });
  }

  #finishTurn(outcome: TurnOutcome): void {
    const timeline = this.#timeline;
    if (timeline === null) return;
    this.#timeline = null;
    // A reply taken up again has a later turnId than the speech that it answers; an older one is another turn's.
    const turnId = Math.max(timeline.turnId, this.#reply?.turnId ?? 0);
    this.#options.onTurn(timeline.report(outcome, this.#transcript.heardText(turnId)));
  }
}

/** A reply that ends with the agent's own goodbye is the last: a caller who has been sent off expects to be. */
function isFarewell(reply: string, goodbye: string): boolean {
  return goodbye.trim() !== '' && reply.trim().toLowerCase().endsWith(goodbye.trim().toLowerCase());
}
