/** What a bench ran on: the header of its JSON document. Thread: main. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** The engines, and the peers that benches stand against. */
const PACKAGES = [
  'onnxruntime-node',
  'node-llama-cpp',
  '@huggingface/transformers',
  'kokoro-js',
  'sip.js',
  'sip',
  'ringbuf.js',
  'piscina',
  'speex-resampler',
  '@livekit/rtc-node',
  '@alexanderolsen/libsamplerate-js',
];
const CPU_FEATURES = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'];

/** Names and versions; benches add the execution providers that they saw. */
export function describeMachine(): Record<string, string | number> {
  const versions = PACKAGES.map((name) => [name, versionOf(name)] as const);
  return {
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpuFeatures: featuresOf(readText('/proc/cpuinfo')),
    cores: availableParallelism(),
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    loadBefore: Number(readText('/proc/loadavg').split(' ')[0]) || 0,
    node: process.version,
    wildfire: versionIn(new URL('../package.json', import.meta.url)),
    ...Object.fromEntries(versions),
  };
}

function featuresOf(cpuinfo: string): string {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return CPU_FEATURES.filter((flag) => ` ${flags} `.includes(` ${flag} `)).join(' ');
}

function versionOf(name: string): string {
  return versionIn(new URL(`../node_modules/${name}/package.json`, import.meta.url));
}

function versionIn(url: URL): string {
  try {
    return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
  } catch {
    return 'not installed';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not Linux
  }
}
