/**
 * What the engines really run on: starts each one that a call needs as `start` would, and asks it. Thread: main.
 */
import type { Config } from '../config/schema.ts';
import { messageOf } from '../errors.ts';
import type { ModelPack } from '../models/pack.ts';
import { LlamaClient } from '../workers/llama/llama-client.ts';
import { TtsClient } from '../workers/tts/tts-client.ts';
import { VadClient } from '../workers/vad/vad-client.ts';
import { WhisperClient } from '../workers/whisper/whisper-client.ts';
import type { Finding } from './finding.ts';

/** One finding per engine; one that does not start is a problem. */
export async function inspectEngines(config: Config, pack: ModelPack): Promise<Finding[]> {
  return [
    await inspect('speech to text', () => inspectWhisper(config, pack)),
    await inspect('language model', () => inspectLlama(config, pack)),
    await inspect('text to speech', () => inspectTts(config, pack)),
    await inspect('speech detection', () => inspectVad(config)),
  ];
}

async function inspect(name: string, probe: () => Promise<Omit<Finding, 'name'>>): Promise<Finding> {
  try {
    return { name, ...(await probe()) };
  } catch (error) {
    return { name, value: 'does not start', verdict: 'problem', advice: messageOf(error) };
  }
}

async function inspectWhisper(config: Config, pack: ModelPack): Promise<Omit<Finding, 'name'>> {
  const whisper = await WhisperClient.start({
    ...pack.whisper,
    threads: 1,
    provider: config.whisper.device,
    language: pack.agent.language,
    niceIncrement: 0,
  });
  const { provider, providerNote } = whisper.description;
  await whisper.close();
  if (providerNote === '') return { value: `ONNX Runtime on ${provider}`, verdict: 'ok', advice: '' };
  return { value: `ONNX Runtime on ${provider}`, verdict: 'problem', advice: providerNote };
}

async function inspectLlama(config: Config, pack: ModelPack): Promise<Omit<Finding, 'name'>> {
  const llama = await LlamaClient.start({
    modelPath: pack.llama.file,
    sequences: 1,
    contextTokens: config.llama.contextTokens,
    threads: config.llama.threads,
    maxTokens: 1,
    temperature: 0,
    gpu: config.llama.gpu === 'off' ? false : config.llama.gpu,
    niceIncrement: 0,
    onLog: () => {},
  });
  const backend = llama.backends[0];
  await llama.close();
  const isOnGpu = backend !== undefined && backend.gpu !== 'none';
  const where = isOnGpu
    ? `${backend.gpu}, ${backend.gpuLayers} layers (${backend.gpuDevices.join(', ')})`
    : 'the CPU only';
  return { value: `llama.cpp on ${where}`, verdict: 'ok', advice: '' };
}

async function inspectTts({ agent }: Config, pack: ModelPack): Promise<Omit<Finding, 'name'>> {
  const voice = agent.voice || pack.tts.voice;
  const tts = await TtsClient.start({ ...pack.tts, voice, threads: 1, niceIncrement: 0 });
  const { engine, voice: inUse } = tts.description;
  await tts.close();
  return { value: `${engine} on cpu, voice ${inUse}`, verdict: 'ok', advice: '' };
}

async function inspectVad({ vad: { model, sileroPath } }: Config): Promise<Omit<Finding, 'name'>> {
  const vad = await VadClient.start({ model, sileroPath });
  await vad.close();
  return { value: `${model} on cpu`, verdict: 'ok', advice: '' };
}
