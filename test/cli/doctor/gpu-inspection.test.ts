/** What `doctor` says of the GPU: whether there is one, what runs on what, and the command that changes it. */
import { describe, expect, it } from 'vitest';
import type { TriedEngine } from '../../../src/cli/doctor/engine-inspection.ts';
import { ok } from '../../../src/cli/doctor/finding.ts';
import { type GpuProbes, inspectGpu } from '../../../src/cli/doctor/gpu-inspection.ts';
import { testConfig } from '../../runtime/test-settings.ts';

const NO_GPU: GpuProbes = { names: async () => [], hasDevice: () => false };
const H200: GpuProbes = { names: async () => ['NVIDIA H200'], hasDevice: () => true };
const UNNAMED: GpuProbes = { names: async () => [], hasDevice: () => true };

function engines(whisper: string | null, llama: string | null): TriedEngine[] {
  return [
    { role: 'whisper', device: whisper, finding: ok('speech to text', '') },
    { role: 'llama', device: llama, finding: ok('language model', '') },
    { role: 'tts', device: 'cpu', finding: ok('text to speech', '') },
  ];
}

describe('a box without a GPU', () => {
  it('is in order, and runs on the CPU', async () => {
    const finding = await inspectGpu(testConfig(), engines('cpu', 'cpu'), NO_GPU);
    expect(finding).toEqual(
      ok('GPU', 'no NVIDIA GPU; speech to text on cpu, language model on cpu, text to speech on cpu'),
    );
  });

  it('is in order when no engine could be tried', async () => {
    expect(await inspectGpu(testConfig(), [], NO_GPU)).toEqual(
      ok('GPU', 'no NVIDIA GPU; the engines run on cpu'),
    );
  });
});

describe('a box with a GPU', () => {
  it('is told what to do for each engine that could use it', async () => {
    const finding = await inspectGpu(testConfig(), engines('cpu', 'cpu'), H200);
    expect(finding).toEqual({
      name: 'GPU',
      value: 'NVIDIA H200; speech to text on cpu, language model on cpu, text to speech on cpu',
      verdict: 'note',
      advice: 'speech to text: --set whisper.device=cuda; language model: `./wildfire gpu install`',
    });
  });

  it('that the language model was told to leave alone says so', async () => {
    const config = testConfig('llama.gpu=off', 'whisper.device=cuda');
    const { advice } = await inspectGpu(config, engines('cuda', 'cpu'), H200);
    expect(advice).toBe('language model: --set llama.gpu=auto');
  });

  it('leaves what did not start, or not where it was asked to, to the finding of the engine', async () => {
    const config = testConfig('llama.gpu=cuda', 'whisper.device=cuda');
    expect(await inspectGpu(config, engines('cpu', null), H200)).toMatchObject({
      value: 'NVIDIA H200; speech to text on cpu, text to speech on cpu',
      verdict: 'ok',
    });
  });

  it('that is used needs nothing', async () => {
    const finding = await inspectGpu(testConfig('whisper.device=cuda'), engines('cuda', 'cuda'), H200);
    expect(finding).toMatchObject({ verdict: 'ok', advice: '' });
  });

  it('without nvidia-smi is seen by its device, and the driver is looked after', async () => {
    const finding = await inspectGpu(testConfig(), engines('cuda', 'cuda'), UNNAMED);
    expect(finding).toMatchObject({ verdict: 'note', advice: expect.stringContaining('nvidia-smi') });
    expect(finding.value).toContain('an NVIDIA GPU');
  });
});
