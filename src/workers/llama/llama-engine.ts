/**
 * The policy of one model replica: which call holds which KV sequence, what of it is reused, how a long prompt is cut
 * so that other calls keep talking, when a reply ends. Work of one call runs in order; calls run side by side and the
 * library decodes them in one batch.
 * Thread: llama. Walk: step 6 of one turn.
 */
import { toWireError, WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { IdleWatch } from '../idle-collector.ts';
import type {
  GenerateRequest,
  LlamaEvent,
  LlamaFinished,
  LlamaRequest,
  LlamaServeTask,
  PrepareRequest,
} from '../protocol.ts';
import type { LanguageModel, LanguageSequence } from './language-model.ts';
import { PrefillPace } from './prefill-pace.ts';
import { commonPrefixTokens, fitPrompt, keptMessages, openingMessages } from './prompt-window.ts';
import { ReplyFilter, type ReplyRules, TokenDecoder } from './reply-text.ts';
import { SequencePool } from './sequence-pool.ts';
import { TokenStep } from './token-step.ts';

export type LlamaEngineOptions = Pick<
  LlamaServeTask,
  'maxTokens' | 'prefillPieceMs' | 'batchTokens' | 'sampling'
> & {
  /** Tests only: called when a request asks for the thread's death. */
  readonly onFault?: () => void;
};

/** What the engine remembers of one call. */
interface Conversation {
  readonly callId: number;
  sequence: LanguageSequence | null;
  /** Tokens other calls begin with too: they stay in the sequence when this call ends. */
  opening: readonly number[];
  droppedMessages: number;
  /** Counts requests; a prepare gives way as soon as a later one has come. */
  requests: number;
  isClosing: boolean;
  /** The end of this call's work so far. */
  work: Promise<void>;
}

/** One reply being made. */
interface Reply {
  readonly request: GenerateRequest;
  readonly conversation: Conversation;
  readonly sequence: LanguageSequence;
  readonly takenAtMs: number;
  readonly prompt: readonly number[];
  readonly reusedTokens: number;
  firstTokenAtMs: number;
  generatedTokens: number;
}

/** The library shifts the context when its last cell would be taken; we stay clear of it. */
const SPARE_TOKENS = 2;
/** Below this no conversation is possible: a configuration fault, not a long call. */
const SMALLEST_PROMPT_TOKENS = 64;
/** Tokens of each warm-up decode; two of them fit the smallest prompt. */
const WARM_UP_TOKENS = 24;

type FinishReason = LlamaFinished['reason'];

export class LlamaEngine {
  readonly #model: LanguageModel;
  readonly #options: LlamaEngineOptions;
  readonly #emit: (event: LlamaEvent) => void;
  readonly #pool: SequencePool;
  readonly #pace: PrefillPace;
  /** Longest prompt: behind it a whole reply has room, so the library never has to shift the context. */
  readonly #budgetTokens: number;
  readonly #step = new TokenStep();
  readonly #conversations = new Map<number, Conversation>();
  /** Of calls that evaluate or generate. */
  readonly #idle = new IdleWatch();
  #isStopping = false;

  constructor(model: LanguageModel, options: LlamaEngineOptions, emit: (event: LlamaEvent) => void) {
    this.#model = model;
    this.#options = options;
    this.#emit = emit;
    this.#pool = new SequencePool(model);
    this.#pace = new PrefillPace(options.prefillPieceMs, options.batchTokens);
    this.#budgetTokens = model.contextTokens - options.maxTokens - SPARE_TOKENS;
    if (this.#budgetTokens < SMALLEST_PROMPT_TOKENS) {
      throw new WildfireError(
        'CONFIG_INVALID',
        `replies of ${options.maxTokens} tokens leave no room for a conversation in ${model.contextTokens} tokens`,
      );
    }
  }

  /**
   * A few decodes before anybody calls: the first allocates and picks kernels, the second tells how fast this model is
   * on this machine, so that already the first long prompt is cut well.
   */
  async warmUp(): Promise<void> {
    const prompt = this.#model.renderPrompt(
      [{ role: 'user', text: 'hello '.repeat(2 * WARM_UP_TOKENS) }],
      '',
    );
    const sequence = await this.#pool.acquire(prompt, () => false);
    if (sequence === null) return;
    await sequence.prefill(prompt.slice(0, WARM_UP_TOKENS));
    await this.#prefillPiece(sequence, prompt.slice(WARM_UP_TOKENS, 2 * WARM_UP_TOKENS));
    const [last] = prompt.slice(-1);
    if (last !== undefined)
      for await (const _token of sequence.generate([last], this.#options.sampling)) break;
    await this.#pool.release(sequence, 0);
  }

  /** Takes a request; answers come as events. @throws never */
  handle(request: Exclude<LlamaRequest, { kind: 'shutDown' }>): void {
    const conversation = this.#conversationOf(request.callId);
    conversation.requests += 1;
    if (request.kind === 'closeConversation') conversation.isClosing = true;
    const order = conversation.requests;
    conversation.work = conversation.work.then(() => {
      if (request.kind === 'generate') return this.#generate(conversation, request);
      if (request.kind === 'prepare') return this.#prepare(conversation, request, order);
      return this.#close(conversation);
    });
  }

  /** Ends every reply at its next token and waits for that. No event is lost; nothing is taken any more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#conversations.values()].map(({ work }) => work));
  }

  #conversationOf(callId: number): Conversation {
    const known = this.#conversations.get(callId);
    if (known !== undefined && !known.isClosing) return known;
    const conversation: Conversation = {
      callId,
      sequence: null,
      opening: [],
      droppedMessages: 0,
      requests: 0,
      isClosing: false,
      work: known?.work ?? Promise.resolve(),
    };
    this.#conversations.set(callId, conversation);
    return conversation;
  }

  async #generate(conversation: Conversation, request: GenerateRequest): Promise<void> {
    const { callId, turnId } = request;
    try {
      const isUnwanted = () => this.#isUnwanted(conversation, request);
      const sequence = await this.#sequenceFor(conversation, request.messages, isUnwanted);
      const takenAtMs = monotonicMs();
      if (sequence === null || isUnwanted()) return this.#emit(finishedUntouched(request, takenAtMs));
      await this.#idle.during(() => this.#reply(conversation, request, sequence, takenAtMs));
    } catch (error) {
      // After a failed decode nobody knows what the KV cache holds: the next turn starts from nothing.
      await conversation.sequence?.keepPrefix(0).catch(() => {});
      this.#emit({ kind: 'failed', callId, turnId, error: toWireError(error, 'INFERENCE_FAILED') });
    }
  }

  async #reply(
    conversation: Conversation,
    request: GenerateRequest,
    sequence: LanguageSequence,
    takenAtMs: number,
  ): Promise<void> {
    const prompt = this.#fit(conversation, request);
    const reusedTokens = await keepCommonPrefix(sequence, prompt);
    const reply: Reply = {
      request,
      conversation,
      sequence,
      takenAtMs,
      prompt,
      reusedTokens,
      firstTokenAtMs: takenAtMs,
      generatedTokens: 0,
    };
    const isUnwanted = () => this.#isUnwanted(conversation, request);
    const isReady = await this.#prefill(sequence, prompt, isUnwanted, 'leaveLastPiece');
    const reason = isReady ? await this.#streamInStep(reply, isUnwanted) : 'cancelled';
    this.#emit(finished(reply, reason));
  }

  async #streamInStep(reply: Reply, isUnwanted: () => boolean): Promise<FinishReason> {
    try {
      return await this.#stream(reply, isUnwanted);
    } finally {
      if (reply.generatedTokens > 0) this.#step.leave();
    }
  }

  // One token in, at most one text event out. The KV keeps what was evaluated, also when cancelled.
  async #stream(reply: Reply, isUnwanted: () => boolean): Promise<FinishReason> {
    const { sequence, prompt, request } = reply;
    const decoder = new TokenDecoder((tokens, recent) => this.#model.detokenize(tokens, recent));
    const filter = new ReplyFilter(rulesFor(request, this.#model.replyRules));
    let reason: FinishReason = 'stop';
    for await (const token of sequence.generate(prompt.slice(sequence.length), this.#options.sampling)) {
      if (reply.generatedTokens === 0) {
        reply.firstTokenAtMs = monotonicMs();
        this.#step.join();
      }
      reply.generatedTokens += 1;
      if (isUnwanted()) return 'cancelled';
      if (request.exitAfterTokens === reply.generatedTokens) this.#options.onFault?.();
      const isForeign = this.#takeToken(reply, token, decoder, filter);
      if (isForeign || filter.isStopped) break;
      if (
        reply.generatedTokens >= this.#options.maxTokens ||
        sequence.length >= this.#model.contextTokens - SPARE_TOKENS
      ) {
        reason = 'maxTokens';
        break;
      }
      await this.#step.next(sequence.index);
    }
    if (isUnwanted()) return 'cancelled';
    this.#emitText(request, filter.flush());
    return reason;
  }

  /** @returns true when the token is a piece of template that has no business in a reply: the reply is over. */
  #takeToken(reply: Reply, token: number, decoder: TokenDecoder, filter: ReplyFilter): boolean {
    const isSpecial = this.#model.isSpecial(token);
    const text = isSpecial ? this.#model.detokenize([token], []) : decoder.push(token);
    if (isSpecial && !isSectionMark(this.#model.replyRules, text)) return true;
    this.#emitText(reply.request, filter.push(text));
    return false;
  }

  #emitText({ callId, turnId }: GenerateRequest, text: string): void {
    if (text !== '') this.#emit({ kind: 'text', callId, turnId, text });
  }

  // The prefix that every continuation of this conversation shares: what two different next turns have in common.
  async #prepare(conversation: Conversation, request: PrepareRequest, order: number): Promise<void> {
    const takenAtMs = monotonicMs();
    const isUnwanted = () => this.#isStopping || conversation.isClosing || conversation.requests > order;
    const result = { promptTokens: 0, reusedTokens: 0 };
    try {
      const sequence = await this.#sequenceFor(conversation, request.messages, isUnwanted);
      if (sequence !== null && !isUnwanted()) {
        const prompt = this.#sharedByContinuations(
          keptMessages(request.messages, conversation.droppedMessages),
        );
        result.promptTokens = prompt.length;
        if (prompt.length < this.#budgetTokens) {
          result.reusedTokens = await keepCommonPrefix(sequence, prompt);
          await this.#idle.during(() => this.#prefill(sequence, prompt, isUnwanted, 'all'));
        }
      }
    } catch (error) {
      this.#emit({
        kind: 'log',
        level: 'warn',
        message: `prepare: ${toWireError(error, 'INFERENCE_FAILED').message}`,
      });
    }
    const computeMs = monotonicMs() - takenAtMs;
    this.#emit({ kind: 'prepared', callId: conversation.callId, ...result, computeMs });
  }

  async #close(conversation: Conversation): Promise<void> {
    const { callId, sequence, opening } = conversation;
    if (sequence !== null) {
      conversation.sequence = null;
      await this.#pool.release(sequence, commonPrefixTokens(sequence.tokens, opening));
    }
    if (this.#conversations.get(callId) === conversation) this.#conversations.delete(callId);
    this.#emit({ kind: 'conversationClosed', callId });
  }

  async #sequenceFor(
    conversation: Conversation,
    messages: GenerateRequest['messages'],
    isGone: () => boolean,
  ): Promise<LanguageSequence | null> {
    if (conversation.sequence !== null) return conversation.sequence;
    const opening = this.#sharedByContinuations(openingMessages(messages));
    conversation.opening = opening;
    conversation.sequence = await this.#pool.acquire(opening, isGone);
    return conversation.sequence;
  }

  #fit(conversation: Conversation, { messages, replyPrefix }: GenerateRequest): readonly number[] {
    const fitted = fitPrompt({
      messages,
      droppedMessages: conversation.droppedMessages,
      budgetTokens: this.#budgetTokens,
      render: (kept) => this.#model.renderPrompt(kept, replyPrefix),
    });
    conversation.droppedMessages = fitted.droppedMessages;
    return fitted.tokens;
  }

  #sharedByContinuations(messages: GenerateRequest['messages']): readonly number[] {
    const [one, other] = ['a', 'b'].map((text) =>
      this.#model.renderPrompt([...messages, { role: 'user', text }], ''),
    );
    return one === undefined || other === undefined ? [] : one.slice(0, commonPrefixTokens(one, other));
  }

  // In pieces, so that other calls' tokens travel in the same decodes and a cancel is heeded between them. The last
  // piece may be left to the decode that draws the first token.
  async #prefill(
    sequence: LanguageSequence,
    prompt: readonly number[],
    isUnwanted: () => boolean,
    extent: 'all' | 'leaveLastPiece',
  ): Promise<boolean> {
    while (sequence.length < prompt.length) {
      if (isUnwanted()) return false;
      const pieceTokens = this.#pace.pieceTokens(this.#idle.running <= 1);
      if (extent === 'leaveLastPiece' && prompt.length - sequence.length <= pieceTokens) break;
      await this.#prefillPiece(sequence, prompt.slice(sequence.length, sequence.length + pieceTokens));
    }
    return !isUnwanted();
  }

  async #prefillPiece(sequence: LanguageSequence, piece: readonly number[]): Promise<void> {
    const startMs = monotonicMs();
    await sequence.prefill(piece);
    this.#pace.observe(piece.length, monotonicMs() - startMs);
  }

  #isUnwanted(conversation: Conversation, { cancel, turnId }: GenerateRequest): boolean {
    return this.#isStopping || conversation.isClosing || Atomics.load(cancel, 0) >= turnId;
  }
}

// The last prompt token is always evaluated again: its logits are what the first reply token is drawn from.
async function keepCommonPrefix(sequence: LanguageSequence, prompt: readonly number[]): Promise<number> {
  const keep = Math.min(commonPrefixTokens(sequence.tokens, prompt), prompt.length - 1);
  await sequence.keepPrefix(keep);
  return keep;
}

// A reply that goes on behind spoken text has its thoughts behind it.
function rulesFor({ replyPrefix }: GenerateRequest, rules: ReplyRules): ReplyRules {
  return replyPrefix === '' ? rules : { ...rules, startsInside: null };
}

function isSectionMark({ hiddenSections, startsInside }: ReplyRules, text: string): boolean {
  return text === startsInside || hiddenSections.some(({ open, close }) => open === text || close === text);
}

function finished(reply: Reply, reason: FinishReason): LlamaFinished {
  const { request, takenAtMs, firstTokenAtMs, prompt, reusedTokens, generatedTokens } = reply;
  return {
    kind: 'finished',
    callId: request.callId,
    turnId: request.turnId,
    reason,
    queueMs: takenAtMs - request.queuedAtMs,
    firstTokenMs: firstTokenAtMs - takenAtMs,
    computeMs: monotonicMs() - takenAtMs,
    promptTokens: prompt.length,
    reusedTokens,
    generatedTokens,
  };
}

function finishedUntouched({ callId, turnId, queuedAtMs }: GenerateRequest, nowMs: number): LlamaFinished {
  return {
    kind: 'finished',
    callId,
    turnId,
    reason: 'cancelled',
    queueMs: nowMs - queuedAtMs,
    firstTokenMs: 0,
    computeMs: 0,
    promptTokens: 0,
    reusedTokens: 0,
    generatedTokens: 0,
  };
}
