/** What the LLaMA benches share: the model file and calls that book a table. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LlamaClient, type LlamaClientOptions } from '../../src/workers/llama/llama-client.ts';
import type { ChatMessage, LlamaFinished } from '../../src/workers/protocol.ts';

const CALLER_TURNS = [
  'hello i would like to book a table',
  'on friday',
  'half past seven',
  'we are four people',
  'do you have parking',
  'my name is smith',
  'no make it five people',
  "yes that's right",
];

/** The pack named by WILDFIRE_TEST_PACK, or the one of the repository. */
export function startClient(options: Partial<LlamaClientOptions> = {}): Promise<LlamaClient> {
  const folder = resolve(
    import.meta.dirname,
    '../..',
    process.env.WILDFIRE_TEST_PACK ?? 'models/embedded',
    'llama',
  );
  const file = readdirSync(folder).find((name) => name.endsWith('.gguf'));
  if (file === undefined) throw new Error(`no .gguf file in ${folder}`);
  const modelPath = join(folder, file);
  return LlamaClient.start({
    modelPath,
    sequences: 9,
    contextTokens: 1024,
    threads: 1,
    maxTokens: 96,
    temperature: 0,
    gpu: false,
    niceIncrement: 0,
    ...options,
  });
}

/** One call; `callerTurns` turns long at most. */
export class BenchCall {
  readonly #client: LlamaClient;
  readonly #callId: number;
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4));
  messages: ChatMessage[] = [{ role: 'system', text: 'You are the phone assistant of the Harbour Kitchen.' }];
  #turnId = 0;

  constructor(client: LlamaClient, callId: number) {
    this.#client = client;
    this.#callId = callId;
  }

  async nextTurn(onText: () => void = () => {}): Promise<LlamaFinished> {
    const text = CALLER_TURNS[this.#turnId % CALLER_TURNS.length]!;
    this.messages = [...this.messages, { role: 'user', text: ` ${text}` }];
    this.#turnId += 1;
    let reply = '';
    const finished = await this.#client.generate(
      { callId: this.#callId, turnId: this.#turnId, messages: this.messages, cancel: this.#cancel },
      (piece) => {
        reply += piece;
        onText();
      },
    );
    this.messages = [...this.messages, { role: 'assistant', text: reply }];
    return finished;
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
