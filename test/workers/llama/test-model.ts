/** The GGUF file for tests that need a model, and short ways to talk to it. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LlamaClient, type LlamaClientOptions } from '../../../src/workers/llama/llama-client.ts';
import type { CancelWord, ChatMessage, LlamaFinished } from '../../../src/workers/protocol.ts';

const PACK = resolve(import.meta.dirname, '../../..', process.env.WILDFIRE_TEST_PACK ?? 'models/embedded');

/** null when the pack is not there. */
export const TEST_MODEL_PATH: string | null = findModel();

/** For describe.skipIf: says why. */
export const NO_MODEL_REASON =
  TEST_MODEL_PATH === null ? ` (skipped: no llama/*.gguf in ${PACK}, set WILDFIRE_TEST_PACK)` : '';

export const SYSTEM: ChatMessage = {
  role: 'system',
  text: 'You are the phone assistant of the Harbour Kitchen.',
};

export function startClient(options: Partial<LlamaClientOptions> = {}): Promise<LlamaClient> {
  return LlamaClient.start({
    modelPath: TEST_MODEL_PATH ?? '',
    sequences: 8,
    contextTokens: 1024,
    threads: 1,
    maxTokens: 96,
    temperature: 0,
    gpu: false,
    niceIncrement: 5,
    ...options,
  });
}

/**
 * Options of a client whose replies are hundreds of tokens long, the same ones each time: they are drawn from the whole
 * vocabulary, in which the tokens that end a reply are few.
 */
export const LONG_REPLIES: Partial<LlamaClientOptions> = {
  temperature: 100,
  topP: 1,
  topK: 0,
  seed: 5,
  maxTokens: 900,
};

export function cancelWord(): CancelWord {
  return new Int32Array(new SharedArrayBuffer(4));
}

// The prototype's model was trained with a space before the caller's words; later ones take both.
export function caller(text: string): ChatMessage {
  return { role: 'user', text: ` ${text}` };
}

export interface Answer {
  readonly text: string;
  readonly finished: LlamaFinished;
}

/** One call talking: keeps its history as the call does. */
export class Dialogue {
  readonly #client: LlamaClient;
  readonly callId: number;
  readonly cancel = cancelWord();
  messages: ChatMessage[] = [SYSTEM];
  turnId = 0;

  constructor(client: LlamaClient, callId: number) {
    this.#client = client;
    this.callId = callId;
  }

  async say(text: string, options: { exitAfterTokens?: number; onText?: () => void } = {}): Promise<Answer> {
    this.messages = [...this.messages, caller(text)];
    this.turnId += 1;
    const { callId, turnId, messages, cancel } = this;
    const fault = options.exitAfterTokens === undefined ? {} : { exitAfterTokens: options.exitAfterTokens };
    let reply = '';
    const finished = await this.#client.generate({ callId, turnId, messages, cancel, ...fault }, (piece) => {
      reply += piece;
      options.onText?.();
    });
    this.messages = [...this.messages, { role: 'assistant', text: reply }];
    return { text: reply, finished };
  }

  /** What the caller heard of the last reply. */
  shortenLastReply(heard: string): void {
    this.messages = [...this.messages.slice(0, -1), { role: 'assistant', text: heard }];
  }
}

function findModel(): string | null {
  const folder = join(PACK, 'llama');
  if (!existsSync(folder)) return null;
  const file = readdirSync(folder).find((name) => name.endsWith('.gguf'));
  return file === undefined ? null : join(folder, file);
}
