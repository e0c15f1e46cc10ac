/**
 * What the engines really run on: loads each model of the pack as `start` would and asks it. Thread: main.
 */
import type { Config } from '../config/schema.ts';
import { messageOf } from '../errors.ts';
import type { ModelPack } from '../models/pack.ts';
import { LlamaClient } from '../workers/llama/llama-client.ts';
import { WhisperClient } from '../workers/whisper/whisper-client.ts';
import type { Finding } from './finding.ts';

/** One finding per engine; a model that does not load is a problem. */
export async function inspectEngines(config: Config, pack: ModelPack): Promise<Finding[]> {
  return [
    await inspect('speech to text', () => inspectWhisper(config, pack)),
    await inspect('language model', () => inspectLlama(config, pack)),
  ];
}

async function inspect(name: string, probe: () => Promise<Omit<Finding, 'name'>>): Promise<Finding> {
  try {
    return { name, ...(await probe()) };
  } catch (error) {
    return { name, value: 'does not load', verdict: 'problem', advice: messageOf(error) };
  }
}

async function inspectWhisper(config: Config, pack: ModelPack): Promise<Omit<Finding, 'name'>> {
  const whisper = await WhisperClient.start({
    ...pack.whisper,
    threads: 1,
    provider: config.whisper.device,
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
