/**
 * node-llama-cpp plumbing: one GGUF model, one context with N sequences that the library decodes in one batch.
 * No policy here: which call has which sequence, what is kept and when to stop is decided in llama-engine.
 * Thread: llama. Decoding and sampling run on libuv's pool, so this thread's event loop stays free.
 */
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import {
  type ChatHistoryItem,
  ChatMLChatWrapper,
  type ChatWrapper,
  GeneralChatWrapper,
  getLlama,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  LlamaLogLevel,
  LlamaText,
  type LlamaModel as NativeModel,
  NoBinaryFoundError,
  resolveChatWrapper,
  type SequenceEvaluateOptions,
  type SpecialToken,
  SpecialTokensText,
  type Token,
} from 'node-llama-cpp';
import { messageOf, WildfireError } from '../../errors.ts';
import type { ChatMessage, LlamaBackend, LlamaServeTask, TokenSampling } from '../protocol.ts';
import type { LanguageModel, LanguageSequence } from './language-model.ts';
import type { ReplyRules } from './reply-text.ts';

/** The part of the serve task that concerns the model, and where llama.cpp's own warnings go. */
export type LlamaModelOptions = Pick<
  LlamaServeTask,
  'modelPath' | 'sequences' | 'contextTokens' | 'threads' | 'batchTokens' | 'gpu'
> & { readonly onLog: (level: 'warn' | 'error', message: string) => void };

const GGUF_MAGIC = 'GGUF';

/**
 * Loads the model and makes room for `sequences` conversations.
 * @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file; INFERENCE_FAILED when the backend asked for
 *   cannot be used or there is too little memory.
 */
export async function loadLlamaModel(options: LlamaModelOptions): Promise<LanguageModel> {
  await checkFile(options.modelPath);
  const llama = await openBackend(options);
  try {
    const model = await loadWeights(llama, options.modelPath);
    const context = await createContext(model, options);
    const gpuDevices = llama.gpu === false ? [] : await llama.getGpuDeviceNames();
    return new NodeLlamaModel({ llama, model, context, gpuDevices }, options);
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

async function checkFile(modelPath: string): Promise<void> {
  try {
    await access(modelPath, constants.R_OK);
  } catch (cause) {
    throw new WildfireError('MODEL_MISSING', `model file ${modelPath} is not there or cannot be read`, {
      context: { file: modelPath },
      cause,
    });
  }
  const file = await open(modelPath, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GGUF_MAGIC.length), 0, GGUF_MAGIC.length, 0);
    if (buffer.toString('latin1', 0, bytesRead) !== GGUF_MAGIC)
      throw damaged(modelPath, 'it is not a GGUF file');
  } finally {
    await file.close();
  }
}

function damaged(modelPath: string, reason: string, cause?: unknown): WildfireError {
  return new WildfireError('MODEL_DAMAGED', `model file ${modelPath} is damaged: ${reason}`, {
    context: { file: modelPath },
    cause,
  });
}

async function openBackend(options: LlamaModelOptions): Promise<Llama> {
  try {
    return await getLlama({
      gpu: options.gpu,
      // Never compile at run time: a missing binary is an error the operator should see at once.
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: options.threads,
      logLevel: LlamaLogLevel.warn,
      logger: (level, message) => {
        const isError = level === LlamaLogLevel.error || level === LlamaLogLevel.fatal;
        options.onLog(isError ? 'error' : 'warn', message.trim());
      },
    });
  } catch (cause) {
    const reason = cause instanceof NoBinaryFoundError ? whyNoBinary(options.gpu) : messageOf(cause);
    throw new WildfireError(
      'INFERENCE_FAILED',
      `llama.cpp cannot run with gpu=${String(options.gpu)}: ${reason}`,
      { context: { gpu: String(options.gpu) }, cause },
    );
  }
}

function whyNoBinary(gpu: LlamaModelOptions['gpu']): string {
  const isFetched = gpu === 'cuda' || gpu === 'vulkan';
  const remedy = isFetched ? ` (\`./wildfire gpu install --backend ${gpu}\` fetches it)` : '';
  return `no llama.cpp binary for it is installed${remedy}, or its driver is missing`;
}

async function loadWeights(llama: Llama, modelPath: string): Promise<NativeModel> {
  try {
    return await llama.loadModel({ modelPath });
  } catch (cause) {
    throw damaged(modelPath, messageOf(cause), cause);
  }
}

async function createContext(model: NativeModel, options: LlamaModelOptions): Promise<LlamaContext> {
  try {
    return await model.createContext({
      sequences: options.sequences,
      contextSize: Math.min(options.contextTokens, model.trainContextSize),
      batchSize: Math.max(options.batchTokens, options.sequences),
      threads: options.threads,
      // With a sliding-window cache an older prefix could not be reused, which is the point of keeping it.
      swaFullCache: true,
    });
  } catch (cause) {
    throw new WildfireError(
      'INFERENCE_FAILED',
      `no room for ${options.sequences} conversations of ${options.contextTokens} tokens: ${messageOf(cause)}`,
      { context: { sequences: options.sequences, contextTokens: options.contextTokens }, cause },
    );
  }
}

interface Loaded {
  readonly llama: Llama;
  readonly model: NativeModel;
  readonly context: LlamaContext;
  readonly gpuDevices: readonly string[];
}

class NodeLlamaModel implements LanguageModel {
  readonly backend: LlamaBackend;
  readonly contextTokens: number;
  readonly sequenceCount: number;
  readonly replyRules: ReplyRules;
  readonly #llama: Llama;
  readonly #model: NativeModel;
  readonly #context: LlamaContext;
  readonly #wrapper: ChatWrapper;
  /** The template does not ask for a BOS token and the tokenizer adds none, but the wrapper writes one. */
  readonly #dropsBos: boolean;
  readonly #specialTokens = new Map<number, boolean>();
  #openedSequences = 0;

  constructor(loaded: Loaded, options: LlamaModelOptions) {
    const { llama, model, context, gpuDevices } = loaded;
    this.#llama = llama;
    this.#model = model;
    this.#context = context;
    this.#wrapper = chatWrapperOf(model);
    this.#dropsBos = !model.tokens.shouldPrependBosToken && !namesBos(model);
    this.replyRules = replyRulesOf(this.#wrapper, model);
    this.contextTokens = context.contextSize;
    this.sequenceCount = context.totalSequences;
    this.backend = {
      gpu: llama.gpu === false ? 'none' : llama.gpu,
      gpuDevices,
      gpuLayers: model.gpuLayers,
      cpuThreads: options.threads,
      chatTemplate: this.#wrapper.wrapperName,
    };
  }

  openSequence(): LanguageSequence {
    const index = this.#openedSequences++;
    return new NodeLlamaSequence(this.#context.getSequence(), index);
  }

  renderPrompt(messages: readonly ChatMessage[], replyPrefix: string): readonly number[] {
    const { contextText } = this.#wrapper.generateContextState({
      chatHistory: toChatHistory(messages, replyPrefix),
    });
    const tokens = contextText.tokenize(this.#model.tokenizer);
    return this.#dropsBos && tokens[0] === this.#model.tokens.bos ? tokens.slice(1) : tokens;
  }

  detokenize(tokens: readonly number[], recentTokens: readonly number[]): string {
    return this.#model.detokenize(tokens as readonly Token[], true, recentTokens as readonly Token[]);
  }

  isSpecial(token: number): boolean {
    const known = this.#specialTokens.get(token);
    if (known !== undefined) return known;
    const isSpecial = this.#model.isSpecialToken(token as Token);
    this.#specialTokens.set(token, isSpecial);
    return isSpecial;
  }

  async close(): Promise<void> {
    await this.#context.dispose();
    await this.#model.dispose();
    await this.#llama.dispose();
  }
}

class NodeLlamaSequence implements LanguageSequence {
  /** The library's own number for it, since none is ever given back. */
  readonly index: number;
  readonly #sequence: LlamaContextSequence;

  constructor(sequence: LlamaContextSequence, index: number) {
    this.#sequence = sequence;
    this.index = index;
  }

  get tokens(): readonly number[] {
    return this.#sequence.contextTokens;
  }

  get length(): number {
    return this.#sequence.nextTokenIndex;
  }

  async keepPrefix(length: number): Promise<void> {
    const end = this.#sequence.nextTokenIndex;
    if (length < end) await this.#sequence.eraseContextTokenRanges([{ start: length, end }]);
  }

  async prefill(tokens: readonly number[]): Promise<void> {
    await this.#sequence.evaluateWithoutGeneratingNewTokens([...tokens] as Token[]);
  }

  generate(tokens: readonly number[], sampling: TokenSampling): AsyncIterable<number> {
    const punished: Token[] = [];
    const options = evaluateOptions(sampling, punished);
    const generated = this.#sequence.evaluate([...tokens] as Token[], options);
    return sampling.repeatPenalty === 1 ? generated : rememberTokens(generated, punished);
  }
}

function evaluateOptions(sampling: TokenSampling, punished: readonly Token[]): SequenceEvaluateOptions {
  const { temperature, topK, topP, minP, seed, repeatPenalty, repeatPenaltyTokens } = sampling;
  const options: SequenceEvaluateOptions = {
    temperature,
    topK,
    topP,
    minP,
    // One seed for the whole reply; the library's own default changes every second.
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
  };
  if (repeatPenalty !== 1) {
    options.repeatPenalty = {
      punishTokens: () => punished.slice(-repeatPenaltyTokens),
      penalty: repeatPenalty,
    };
  }
  return options;
}

async function* rememberTokens(generated: AsyncIterable<Token>, punished: Token[]): AsyncGenerator<number> {
  for await (const token of generated) {
    punished.push(token);
    yield token;
  }
}

// The reply being made is the last item; an empty one opens the assistant's turn.
function toChatHistory(messages: readonly ChatMessage[], replyPrefix: string): ChatHistoryItem[] {
  const history = messages.map(toChatHistoryItem);
  history.push({ type: 'model', response: replyPrefix === '' ? [] : [replyPrefix] });
  return history;
}

// A template's markup cannot have been said; a model that has learnt to copy names would read it out.
const MARKUP = /<\|[^\s<>|]*\|?>?|\|>/g;

function toChatHistoryItem({ role, text }: ChatMessage): ChatHistoryItem {
  if (role === 'assistant') return { type: 'model', response: [text] };
  return { type: role, text: role === 'user' ? text.replace(MARKUP, ' ') : text };
}

function namesBos(model: NativeModel): boolean {
  const template = model.fileInfo.metadata.tokenizer.chat_template ?? '';
  const { bosString } = model.tokens;
  return template.includes('bos_token') || (bosString !== null && template.includes(bosString));
}

// A model without a template gets ChatML; the library's own last resort is a layout made for no model.
function chatWrapperOf(model: NativeModel): ChatWrapper {
  const wrapper = resolveChatWrapper(model, {
    warningLogs: false,
    customWrapperSettings: { qwen: { thoughts: 'discourage' } },
  });
  return wrapper instanceof GeneralChatWrapper ? new ChatMLChatWrapper() : wrapper;
}

function replyRulesOf(wrapper: ChatWrapper, model: NativeModel): ReplyRules {
  const { stopGenerationTriggers } = wrapper.generateContextState({
    chatHistory: [
      { type: 'user', text: 'hello' },
      { type: 'model', response: [] },
    ],
  });
  const stopTexts = [...new Set(stopGenerationTriggers.map((trigger) => plainText(trigger, model)))];
  const { thought } = wrapper.settings.segments ?? {};
  const close = plainText(thought?.suffix, model);
  if (thought === undefined || close === '') return { stopTexts, hiddenSections: [], startsInside: null };
  const { prefix } = thought;
  const isText = typeof prefix === 'string' || LlamaText.isLlamaText(prefix);
  return isText
    ? { stopTexts, hiddenSections: [{ open: plainText(prefix, model), close }], startsInside: null }
    : { stopTexts, hiddenSections: [], startsInside: close };
}

// Control tokens as the text they are shown as.
function plainText(text: LlamaText | string | undefined, model: NativeModel): string {
  if (text === undefined) return '';
  return LlamaText(text)
    .values.map((value) => (typeof value === 'string' ? value : specialText(value, model)))
    .join('');
}

function specialText(value: SpecialToken | SpecialTokensText, model: NativeModel): string {
  if (value instanceof SpecialTokensText) return value.value;
  return model.detokenize(value.tokenize(model.tokenizer), true);
}
