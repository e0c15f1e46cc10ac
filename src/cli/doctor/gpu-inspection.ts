/**
 * What `doctor` finds of the GPU: whether there is one, what each engine runs on, and how the others get onto it.
 * NVIDIA only: others the language model may use, but nothing here sees them. Thread: main.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Config } from '../../config/schema.ts';
import type { TriedEngine } from './engine-inspection.ts';
import { type Finding, ok } from './finding.ts';

/** How the box is looked at. */
export interface GpuProbes {
  /** The GPUs as `nvidia-smi` names them; none where it is not there, or fails. */
  readonly names: () => Promise<readonly string[]>;
  /** Whether the kernel shows one. */
  readonly hasDevice: () => boolean;
}

const NAME = 'GPU';
const TIMEOUT_MS = 5000;

/** A note where an engine could use the GPU and does not; the CPU alone is in order. */
export async function inspectGpu(
  config: Config,
  engines: readonly TriedEngine[],
  probes: GpuProbes = NVIDIA,
): Promise<Finding> {
  const names = await probes.names();
  const uses = engines
    .filter(({ device }) => device !== null)
    .map(({ finding, device }) => `${finding.name} on ${device}`)
    .join(', ');
  if (names.length === 0 && !probes.hasDevice()) {
    return ok(NAME, `no NVIDIA GPU; ${uses || 'the engines run on cpu'}`);
  }
  const gpu = names.join(', ') || 'an NVIDIA GPU that nvidia-smi does not name';
  const advice = [
    ...(names.length === 0 ? ['see why `nvidia-smi` fails: the driver may be missing'] : []),
    ...engines.flatMap((engine) => remedyFor(engine, config)),
  ].join('; ');
  const value = `${gpu}; ${uses || 'no engine has started'}`;
  return { name: NAME, value, verdict: advice === '' ? 'ok' : 'note', advice };
}

/** None for an engine that uses the GPU, that cannot, or whose own finding says why it does not. */
function remedyFor({ role, device, finding }: TriedEngine, { whisper, llama }: Config): string[] {
  if (device !== 'cpu') return [];
  if (role === 'whisper' && whisper.device === 'cpu') return [`${finding.name}: --set whisper.device=cuda`];
  if (role !== 'llama') return [];
  return [`${finding.name}: ${llama.gpu === 'off' ? '--set llama.gpu=auto' : '`./wildfire gpu install`'}`];
}

const NVIDIA: GpuProbes = {
  async names() {
    try {
      const args = ['--query-gpu=name', '--format=csv,noheader'];
      const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: TIMEOUT_MS });
      return stdout
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    } catch {
      return []; // not installed, or no driver
    }
  },
  hasDevice() {
    try {
      return readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
    } catch {
      return false; // not Linux
    }
  },
};
