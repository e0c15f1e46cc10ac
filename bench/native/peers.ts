/**
 * The resamplers that ours is measured against, behind one shape: blocks of 20 ms in, samples out. Each as its users
 * have it: LiveKit's is libsoxr behind its foreign-function interface, 16 bits in and out; speex is WebAssembly, 16
 * bits; libsamplerate is WebAssembly, floats. libsoxr itself, in floats, comes from Python where that has it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import libsamplerateModule from '@alexanderolsen/libsamplerate-js';
import { AudioFrame, AudioResampler, AudioResamplerQuality, dispose } from '@livekit/rtc-node';
import speexModule from 'speex-resampler';
import { createPolyphaseResampler } from '../../src/native/polyphase-resampler.ts';
import { createResampler } from '../../src/native/resampler.ts';
import type { Resampler, SampleBlock } from '../../src/native/stream.ts';

export interface Rates {
  readonly fromHz: number;
  readonly toHz: number;
}

/** One stream; a block is as long as the bench likes, always the same. */
export interface PeerStream {
  /** What came out; good until the next block. Peers with 16 bits take an Int16Array only. */
  process(block: SampleBlock): SampleBlock;
  close(): void;
}

export interface Peer {
  readonly name: string;
  /** What the peer's samples are: its floor in a measurement of noise. */
  readonly samples: 'float' | '16 bit';
  open(rates: Rates): Promise<PeerStream>;
}

/** The package is CommonJS: its class is the default of its default. */
const SpeexResampler = (
  speexModule as unknown as {
    default: typeof import('speex-resampler').default & { initPromise: Promise<unknown> };
  }
).default;

const { ConverterType, create: createLibsamplerate } =
  libsamplerateModule as unknown as typeof import('@alexanderolsen/libsamplerate-js');

export const NATIVE: Peer = ours('native', createResampler);
export const TYPESCRIPT: Peer = ours('typescript', createPolyphaseResampler);
export const SPEEX_Q7 = speex(7);
export const LIVEKIT = liveKit('livekit', AudioResamplerQuality.MEDIUM);
/** All that run in this process. */
export const PEERS: readonly Peer[] = [
  SPEEX_Q7,
  speex(10),
  LIVEKIT,
  liveKit('livekit-vhq', AudioResamplerQuality.VERY_HIGH),
  libsamplerate('libsamplerate-medium', ConverterType.SRC_SINC_MEDIUM_QUALITY),
  libsamplerate('libsamplerate-best', ConverterType.SRC_SINC_BEST_QUALITY),
];

/** LiveKit's library keeps a process alive until it is told. */
export async function releasePeers(): Promise<void> {
  await dispose();
}

function ours(name: string, create: (rates: Rates) => Resampler): Peer {
  return {
    name,
    samples: 'float',
    async open(rates) {
      const resampler = create(rates);
      const output = new Int16Array(resampler.maxOutputSamples(4096));
      return {
        process: (block) => output.subarray(0, resampler.process(block, output)),
        close: () => {},
      };
    },
  };
}

function speex(quality: number): Peer {
  return {
    name: `speex-q${quality}`,
    samples: '16 bit',
    async open({ fromHz, toHz }) {
      await SpeexResampler.initPromise;
      const resampler = new SpeexResampler(1, fromHz, toHz, quality);
      return {
        process(block) {
          const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
          const output = resampler.processChunk(bytes);
          return new Int16Array(output.buffer, output.byteOffset, output.length / 2);
        },
        close: () => {},
      };
    },
  };
}

function liveKit(name: string, quality: AudioResamplerQuality): Peer {
  return {
    name,
    samples: '16 bit',
    async open({ fromHz, toHz }) {
      const resampler = new AudioResampler(fromHz, toHz, 1, quality);
      return {
        process(block) {
          const frames = resampler.push(new AudioFrame(block as Int16Array, fromHz, 1, block.length));
          return frames[0]?.data ?? new Int16Array(0);
        },
        close: () => resampler.close(),
      };
    },
  };
}

function libsamplerate(name: string, converterType: 0 | 1 | 2 | 3 | 4): Peer {
  return {
    name,
    samples: 'float',
    async open({ fromHz, toHz }) {
      const resampler = await createLibsamplerate(1, fromHz, toHz, { converterType });
      const floats = new Float32Array(4096);
      return {
        process(block) {
          if (block instanceof Float32Array) return resampler.full(block);
          for (let i = 0; i < block.length; i++) floats[i] = block[i]! / 32_768;
          return resampler.full(floats.subarray(0, block.length));
        },
        close: () => resampler.destroy(),
      };
    },
  };
}

const PYTHONS = [fileURLToPath(new URL('../../.wildfire/soxr-venv/bin/python', import.meta.url)), 'python3'];
const SOXR_PROGRAM = `
import sys, numpy, soxr
signal = numpy.frombuffer(sys.stdin.buffer.read(), dtype=numpy.float32)
start, end, block = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
stream = soxr.ResampleStream(start, end, 1, dtype='float32', quality='HQ')
parts = [stream.resample_chunk(signal[at:at + block]) for at in range(0, len(signal), block)]
sys.stdout.buffer.write(numpy.array([len(part) for part in parts], dtype=numpy.float32).tobytes())
sys.stdout.buffer.write(numpy.concatenate(parts).tobytes())
`;

/** What libsoxr, high quality, makes of a signal in blocks of 20 ms; null where no Python has it. */
export function soxrOf(signal: Float32Array, { fromHz, toHz }: Rates): Converted | null {
  const python = soxrPython();
  if (python === undefined) return null;
  const blockSamples = fromHz / 50;
  const run = spawnSync(python, ['-c', SOXR_PROGRAM, String(fromHz), String(toHz), String(blockSamples)], {
    input: Buffer.from(signal.buffer, signal.byteOffset, signal.byteLength),
    maxBuffer: 1 << 28,
  });
  const bytes = run.stdout.buffer.slice(run.stdout.byteOffset, run.stdout.byteOffset + run.stdout.length);
  const numbers = new Float32Array(bytes);
  const blocks = Math.ceil(signal.length / blockSamples);
  return { delivered: [...numbers.subarray(0, blocks)], samples: numbers.subarray(blocks) };
}

let python: string | undefined | null = null;

function soxrPython(): string | undefined {
  if (python === null) {
    const hasSoxr = (program: string) => spawnSync(program, ['-c', 'import soxr']).status === 0;
    python = PYTHONS.find((program) => (existsSync(program) || !program.includes('/')) && hasSoxr(program));
  }
  return python;
}

/** A signal on the other side of a resampler. */
export interface Converted {
  readonly samples: Float32Array;
  /** Samples that each block of input brought. */
  readonly delivered: readonly number[];
}
