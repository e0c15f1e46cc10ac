/**
 * Starts the engines of a pack that the roles of this process need, in their pools, one after another (two GPU sessions created at once can
 * crash), and closes them. Thread: main. Part of the composition root.
 */
import type { Engines } from '../call/ports.ts';
import type { Config } from '../config/schema.ts';
import type { ModelPack } from '../models/pack.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { LlamaClient } from '../workers/llama/llama-client.ts';
import { TtsClient } from '../workers/tts/tts-client.ts';
import { WhisperClient } from '../workers/whisper/whisper-client.ts';

/** The engines of this process; a role that runs elsewhere has none here. */
export interface RunningEngines extends Partial<Engines> {
  readonly whisper?: WhisperClient;
  readonly llama?: LlamaClient;
  readonly tts?: TtsClient;
  close(): Promise<void>;
}

/**
 * Resolves when every thread has loaded its model and run it once.
 * @throws WildfireError MODEL_MISSING, MODEL_DAMAGED, WORKER_WARMUP; what was started is closed again
 */
export async function startEngines(
  config: Config,
  pack: ModelPack,
  sinks: EngineSinks & { readonly roles: ReadonlySet<string> },
): Promise<RunningEngines> {
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((engine) => engine.close()));
  };
  const start = async <T extends { close(): Promise<void> }>(role: string, startOne: EngineStarter<T>) => {
    if (!sinks.roles.has(role)) return {};
    const engine = await startOne(config, pack, sinks);
    started.push(engine);
    return { [role]: engine };
  };
  try {
    const whisper = await start('whisper', startWhisper);
    const llama = await start('llama', startLlama);
    const tts = await start('tts', startTts);
    return { ...whisper, ...llama, ...tts, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type EngineStarter<T> = (config: Config, pack: ModelPack, sinks: EngineSinks) => Promise<T>;

export interface EngineSinks {
  readonly log: Log;
  readonly metrics: Metrics;
}

function startWhisper(config: Config, pack: ModelPack, sinks: EngineSinks): Promise<WhisperClient> {
  return WhisperClient.start({
    ...pack.whisper,
    threads: config.whisper.threads,
    intraOpThreads: config.whisper.intraOpThreads,
    provider: config.whisper.device,
    language: pack.agent.language,
    niceIncrement: config.inference.niceIncrement,
    onWorkerDied: onWorkerDied('whisper', sinks),
  });
}

/** Conversations that the language model holds in its memory at once. */
function sequencesOf({ llama, limits }: Config): number {
  return llama.sequences === 0 ? limits.maxCalls : llama.sequences;
}

/** How many of them outside calls may have: half, where this process answers calls itself. */
export function awakeOutsideCalls(config: Config, roles: ReadonlySet<string>): number {
  return Math.max(1, Math.floor(sequencesOf(config) / (roles.has('sip') ? 2 : 1)));
}

function startLlama(config: Config, pack: ModelPack, { log, metrics }: EngineSinks): Promise<LlamaClient> {
  const { llama, inference } = config;
  return LlamaClient.start({
    modelPath: pack.llama.file,
    sequences: sequencesOf(config),
    contextTokens: llama.contextTokens,
    threads: llama.threads,
    maxTokens: llama.maxTokens,
    temperature: llama.temperature < 0 ? pack.llama.temperature : llama.temperature,
    gpu: llama.gpu === 'off' ? false : llama.gpu,
    niceIncrement: inference.niceIncrement,
    onLog: (level, message) => log[level]({ stage: 'llama' }, message),
    onWorkerDied: onWorkerDied('llama', { log, metrics }),
  });
}

function startTts(config: Config, pack: ModelPack, sinks: EngineSinks): Promise<TtsClient> {
  return TtsClient.start({
    ...pack.tts,
    threads: config.tts.threads,
    intraOpThreads: config.tts.intraOpThreads,
    niceIncrement: config.inference.niceIncrement,
    onWorkerDied: onWorkerDied('tts', sinks),
  });
}

function onWorkerDied(stage: string, { log, metrics }: EngineSinks): (message: string) => void {
  return (message) => {
    metrics.events.inc({ area: 'worker', reason: `${stage}Died` });
    log.error({ stage, error: message }, 'a worker thread died and is replaced');
  };
}
