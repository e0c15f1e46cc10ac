/** The peer of the LLaMA benches: node-llama-cpp's own LlamaChatSession in this thread, as its guide shows it. */
import { getLlama, LlamaChatSession, LlamaLogLevel } from 'node-llama-cpp';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { CALLER_TURNS, SYSTEM_PROMPT, type Workload } from './dialogue.ts';

/** @returns ms from each later turn's prompt to its first text, `rounds` dialogues of them; NaN where there was none. */
export async function bareSessionFirstTexts(modelPath: string, workload: Workload): Promise<number[]> {
  const { contextTokens, threads, gpu } = DEFAULT_CONFIG.llama;
  const llama = await getLlama({
    gpu: gpu === 'off' ? false : gpu,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: contextTokens, threads });
  const sequence = context.getSequence();
  const laterMs: number[] = [];
  for (let round = 0; round < workload.rounds; round++) {
    await sequence.clearHistory();
    const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: SYSTEM_PROMPT });
    for (let turn = 0; turn < workload.turns; turn++) {
      const firstMs = await firstTextMs(
        session,
        CALLER_TURNS[turn % CALLER_TURNS.length]!,
        workload.maxTokens,
      );
      if (turn > 0) laterMs.push(firstMs);
    }
    session.dispose({ disposeSequence: false });
  }
  await llama.dispose();
  return laterMs;
}

async function firstTextMs(session: LlamaChatSession, text: string, maxTokens: number): Promise<number> {
  const startedAtMs = performance.now();
  let firstAtMs: number | undefined;
  const onTextChunk = (): void => {
    firstAtMs ??= performance.now();
  };
  await session.prompt(text, { maxTokens, temperature: 0, onTextChunk });
  return (firstAtMs ?? Number.NaN) - startedAtMs;
}
