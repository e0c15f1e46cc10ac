/** What the LLaMA benches share: the pack's model, calls that book a table, and how long they may take. */
import { statSync } from 'node:fs';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { LlamaClient, type LlamaClientOptions } from '../../src/workers/llama/llama-client.ts';
import type { ChatMessage, LlamaFinished, LlamaPrepared } from '../../src/workers/protocol.ts';

export const CALLER_TURNS = [
  'hello i would like to book a table',
  'on friday',
  'half past seven',
  'we are four people',
  'do you have parking',
  'my name is smith',
  'no make it five people',
  "yes that's right",
];
export const SYSTEM_PROMPT = 'You are the phone assistant of the Harbour Kitchen.';

/** How much of a dialogue is played, so that a model of gigabytes is measured within minutes, too. */
export interface Workload {
  /** Its weights do not fit into any cache: more threads are of use to one decode. */
  readonly isLarge: boolean;
  readonly rounds: number;
  /** Of each call, the first included. */
  readonly turns: number;
  /** Longest reply. */
  readonly maxTokens: number;
}

const LARGE_MODEL_BYTES = 256 * 2 ** 20;

export function workloadOf({ llama }: ModelPack, limit: number | null): Workload {
  const isLarge = statSync(llama.file).size > LARGE_MODEL_BYTES;
  return isLarge
    ? { isLarge, rounds: limit ?? 1, turns: 2, maxTokens: 12 }
    : { isLarge, rounds: limit ?? 6, turns: CALLER_TURNS.length, maxTokens: 96 };
}

export function benchPack(pack: string): Promise<ModelPack> {
  return loadPack(packFolderOf(pack));
}

/** The pack's model as a runtime of default configuration starts it, without a nice value. */
export function startClient(
  { llama }: Pick<ModelPack, 'llama'>,
  options: Partial<LlamaClientOptions> = {},
): Promise<LlamaClient> {
  const { contextTokens, threads, gpu } = DEFAULT_CONFIG.llama;
  return LlamaClient.start({
    modelPath: llama.file,
    sequences: 9,
    contextTokens,
    threads,
    maxTokens: 96,
    temperature: 0,
    gpu: gpu === 'off' ? false : gpu,
    niceIncrement: 0,
    ...options,
  });
}

/** A reply, and how long this thread waited for its first words: the ways there and back are in it. */
export interface TimedReply extends LlamaFinished {
  /** NaN where there were none. */
  readonly firstTextMs: number;
}

/** One call; its caller says the same again after the eighth turn. */
export class BenchCall {
  readonly #client: LlamaClient;
  readonly #callId: number;
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4));
  messages: ChatMessage[] = [{ role: 'system', text: SYSTEM_PROMPT }];
  #turnId = 0;

  constructor(client: LlamaClient, callId: number) {
    this.#client = client;
    this.#callId = callId;
  }

  /** Says the next words of the caller and has them evaluated, so that `nextTurn` generates and does nothing else. */
  prepareTurn(): Promise<LlamaPrepared> {
    this.#hear();
    return this.#client.prepare(this.#callId, this.messages);
  }

  async nextTurn(onText: () => void = () => {}): Promise<TimedReply> {
    if (this.messages.at(-1)?.role !== 'user') this.#hear();
    let reply = '';
    let firstTextMs = Number.NaN;
    const askedAtMs = performance.now();
    const finished = await this.#client.generate(
      { callId: this.#callId, turnId: this.#turnId, messages: this.messages, cancel: this.#cancel },
      (piece) => {
        if (reply === '') firstTextMs = performance.now() - askedAtMs;
        reply += piece;
        onText();
      },
    );
    this.messages = [...this.messages, { role: 'assistant', text: reply }];
    return { ...finished, firstTextMs };
  }

  #hear(): void {
    const text = CALLER_TURNS[this.#turnId % CALLER_TURNS.length]!;
    this.messages = [...this.messages, { role: 'user', text: ` ${text}` }];
    this.#turnId += 1;
  }

  /** Another call that stands where this one does, with nothing evaluated. */
  fork(callId: number): BenchCall {
    const other = new BenchCall(this.#client, callId);
    other.messages = [...this.messages];
    other.#turnId = this.#turnId;
    return other;
  }

  close(): Promise<void> {
    return this.#client.closeConversation(this.#callId);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
