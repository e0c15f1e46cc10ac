/**
 * The recogniser and the language model of a pack as the runtime starts them (default configuration), for benches.
 * Thread: main.
 */
import { availableParallelism } from 'node:os';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import type { ModelPack } from '../../src/models/pack.ts';
import { LlamaClient } from '../../src/workers/llama/llama-client.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';

/** Utterances transcribed at once: more threads only wait for each other. */
const MOST_THREADS = 8;
/** Conversations at once in the language model. */
export const CONVERSATIONS = 8;

/** As many threads as the machine has cores, one inference thread each. */
export function startRecogniser(pack: ModelPack): Promise<WhisperClient> {
  return WhisperClient.start({
    ...pack.whisper,
    threads: Math.min(MOST_THREADS, availableParallelism()),
    intraOpThreads: 1,
    provider: DEFAULT_CONFIG.whisper.device,
    language: pack.agent.language,
    niceIncrement: 0,
  });
}

export function startLanguageModel(pack: ModelPack): Promise<LlamaClient> {
  const { llama } = DEFAULT_CONFIG;
  return LlamaClient.start({
    modelPath: pack.llama.file,
    sequences: CONVERSATIONS,
    contextTokens: llama.contextTokens,
    threads: llama.threads,
    maxTokens: llama.maxTokens,
    temperature: pack.llama.temperature,
    gpu: llama.gpu === 'off' ? false : llama.gpu,
    niceIncrement: 0,
    onLog: (level, message) => console.error(`   llama ${level}: ${message}`),
  });
}

/** What was measured, for the header of the JSON document. */
export function packMachine({ name, version }: ModelPack): Record<string, string> {
  return { pack: `${name} ${version}` };
}

export function recogniserMachine({ description }: WhisperClient): Record<string, string> {
  return { recogniserProvider: description.provider };
}

export function languageModelMachine({ backends }: LlamaClient): Record<string, string> {
  return { languageModelGpu: backends[0]?.gpu ?? 'unknown' };
}

/** `work` for every item, `atOnce` at a time, results in the order of the items; progress on stderr. */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  { atOnce, label }: { readonly atOnce: number; readonly label: string },
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let done = 0;
  const step = Math.max(1, Math.ceil(items.length / 5));
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!, index);
      done += 1;
      if (done % step === 0) console.error(`   ${label}: ${done} of ${items.length}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
