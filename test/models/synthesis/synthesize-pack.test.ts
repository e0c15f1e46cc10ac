/** Packs of made-up models: whole, marked, and never half written. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadPack, readManifest, verifyPack } from '../../../src/models/pack.ts';
import { SHAPES } from '../../../src/models/synthesis/shapes.ts';
import {
  nameOf,
  type SyntheticModel,
  synthesizePack,
} from '../../../src/models/synthesis/synthesize-pack.ts';
import { TINY_LLAMA, TINY_WHISPER } from './tiny-shapes.ts';

const root = mkdtempSync(join(tmpdir(), 'wildfire-pack-'));
afterAll(() => rmSync(root, { recursive: true }));
const whisper: SyntheticModel = {
  name: 'w',
  named: { stage: 'whisper', shape: TINY_WHISPER },
  dtype: 'fp32',
};
const llama: SyntheticModel = { name: 'l', named: { stage: 'llama', shape: TINY_LLAMA }, dtype: 'q8_0' };

describe('a pack of made-up models', () => {
  it('is whole, marked as random, and has the shipped stages where none was named', async () => {
    const folder = join(root, 'two');
    const manifest = await synthesizePack({ models: [whisper, llama], seed: 9, folder });
    expect(await verifyPack(folder)).toEqual([]);
    const pack = await loadPack(folder, { verification: 'full' });
    expect(pack.name).toBe('synthetic-w-l-q8_0');
    expect(manifest).toMatchObject({ weights: 'random', version: '0.0.0-seed9' });
    expect(pack.description).toMatch(/meaningless for quality/);
    expect(pack.llama.file).toBe(join(folder, 'llama/l-q8_0.gguf'));
    expect(manifest.files.map(({ path }) => path)).toContain('kokoro/onnx/model.onnx');
    expect(manifest.files.filter(({ path }) => path.startsWith('llama/')).length).toBe(1);
  });

  it('takes nothing for random that was trained', async () => {
    const { weights } = await readManifest(join(import.meta.dirname, '../../../models/embedded'));
    expect(weights).toBe('trained');
  });

  it('never touches a folder that holds something', async () => {
    const folder = join(root, 'used');
    mkdirSync(folder);
    writeFileSync(join(folder, 'mine.txt'), 'x');
    await expect(synthesizePack({ models: [llama], seed: 1, folder })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
    });
    expect(readdirSync(folder)).toEqual(['mine.txt']);
  });

  it('leaves nothing behind when it cannot be finished', async () => {
    const folder = join(root, 'broken');
    const options = { models: [llama], seed: 1, folder, basePack: join(root, 'no-such-pack') };
    await expect(synthesizePack(options)).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    expect(existsSync(folder)).toBe(false);
  });

  it('is named after what it is made of', () => {
    expect(nameOf([{ ...whisper, dtype: 'fp16' }])).toBe('synthetic-w-fp16');
  });
});

describe('the shapes', () => {
  it('are those of the published models', () => {
    const parameters = Object.entries(SHAPES).map(
      ([name, { stage, shape }]) => [name, stage, shape] as const,
    );
    expect(parameters.map(([name]) => name)).toEqual([
      'whisper-tiny',
      'whisper-base',
      'whisper-large-v3-turbo',
      'llama-3.2-1b',
      'llama-3.1-8b',
      'kokoro-82m',
    ]);
    for (const [name, , shape] of parameters) {
      if ('heads' in shape) expect(shape.width % shape.heads, name).toBe(0);
    }
  });
});
