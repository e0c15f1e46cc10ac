/**
 * What the engines really run on: starts each one that a call needs as `start` would, and asks it. Thread: main.
 */
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import type { ModelPack } from '../../models/pack.ts';
import { LlamaClient } from '../../workers/llama/llama-client.ts';
import { TtsClient } from '../../workers/tts/tts-client.ts';
import { VadClient } from '../../workers/vad/vad-client.ts';
import { WhisperClient } from '../../workers/whisper/whisper-client.ts';
import type { Finding } from './finding.ts';

/** An engine that was started and ended again. */
export interface TriedEngine {
  readonly role: Role;
  /** What it runs on: cpu, cuda, vulkan, metal; null when it did not start. */
  readonly device: string | null;
  readonly finding: Finding;
}

type Role = 'whisper' | 'llama' | 'tts' | 'vad';

interface Started {
  readonly device: string;
  readonly value: string;
  /** Why it does not run on what the configuration asks for; empty when it does. */
  readonly complaint?: string;
}

const NAMES: Readonly<Record<Role, string>> = {
  whisper: 'speech to text',
  llama: 'language model',
  tts: 'text to speech',
  vad: 'speech detection',
};

/** Each engine, one after another; one that does not start is a problem. */
export async function inspectEngines(config: Config, pack: ModelPack): Promise<TriedEngine[]> {
  return [
    await tryEngine('whisper', () => startWhisper(config, pack)),
    await tryEngine('llama', () => startLlama(config, pack)),
    await tryEngine('tts', () => startTts(config, pack)),
    await tryEngine('vad', () => startVad(config)),
  ];
}

async function tryEngine(role: Role, start: () => Promise<Started>): Promise<TriedEngine> {
  const name = NAMES[role];
  try {
    const { device, value, complaint = '' } = await start();
    const verdict = complaint === '' ? 'ok' : 'problem';
    return { role, device, finding: { name, value, verdict, advice: complaint } };
  } catch (error) {
    const finding: Finding = { name, value: 'does not start', verdict: 'problem', advice: messageOf(error) };
    return { role, device: null, finding };
  }
}

async function startWhisper(config: Config, pack: ModelPack): Promise<Started> {
  const whisper = await WhisperClient.start({
    ...pack.whisper,
    threads: 1,
    provider: config.whisper.device,
    language: pack.agent.language,
    niceIncrement: 0,
  });
  const { provider, providerNote } = whisper.description;
  await whisper.close();
  return { device: provider, value: `ONNX Runtime on ${provider}`, complaint: providerNote };
}

async function startLlama(config: Config, pack: ModelPack): Promise<Started> {
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
  if (backend === undefined || backend.gpu === 'none') {
    return { device: 'cpu', value: 'llama.cpp on the CPU only' };
  }
  const { gpu, gpuLayers, gpuDevices } = backend;
  return { device: gpu, value: `llama.cpp on ${gpu}, ${gpuLayers} layers (${gpuDevices.join(', ')})` };
}

async function startTts({ agent }: Config, pack: ModelPack): Promise<Started> {
  const voice = agent.voice || pack.tts.voice;
  const tts = await TtsClient.start({ ...pack.tts, voice, threads: 1, niceIncrement: 0 });
  const { engine, voice: inUse } = tts.description;
  await tts.close();
  return { device: 'cpu', value: `${engine} on cpu, voice ${inUse}` };
}

async function startVad({ vad: { model, sileroPath } }: Config): Promise<Started> {
  const vad = await VadClient.start({ model, sileroPath });
  await vad.close();
  return { device: 'cpu', value: `${model} on cpu` };
}
