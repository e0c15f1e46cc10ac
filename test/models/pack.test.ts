/** Model packs: whole, missing and damaged ones, and what the messages name. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WildfireError } from '../../src/errors.ts';
import { parseManifest } from '../../src/models/manifest.ts';
import { loadPack, verifyPack } from '../../src/models/pack.ts';
import { PACKS_FOLDER, packFolderOf, repairCommand } from '../../src/models/pack-folders.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { GOOD_MANIFEST, writeScratchPack } from './scratch-pack.ts';

describe('loadPack', () => {
  it('makes stage paths absolute and fills in defaults', async () => {
    const folder = writeScratchPack();
    const pack = await loadPack(folder);
    expect(pack.name).toBe('scratch');
    expect(pack.whisper).toMatchObject({ folder: join(folder, 'whisper'), dtype: 'q8', window: 'full' });
    expect(pack.whisper.guards).toEqual({ noSpeechLikely: 0.4 });
    expect(pack.llama).toMatchObject({ file: join(folder, 'llama/model.gguf'), temperature: 0 });
    expect(pack.tts).toMatchObject({ folder: join(folder, 'kokoro'), dtype: 'fp32', speed: 1 });
    expect(pack.totalBytes).toBe(28);
  });

  it('names a missing file, its pack and the repairing command', async () => {
    const folder = writeScratchPack();
    rmSync(join(folder, 'llama/model.gguf'));
    const error = await failureOf(folder);
    expect(error.code).toBe('MODEL_MISSING');
    expect(error.message).toContain('llama/model.gguf');
    expect(error.message).toContain("'scratch'");
    expect(error.message).toContain('./wildfire doctor --set models.pack=');
    expect(error.context.file).toBe(join(folder, 'llama/model.gguf'));
  });

  it('notices a cut file', async () => {
    const folder = writeScratchPack();
    truncateSync(join(folder, 'kokoro/config.json'), 3);
    const error = await failureOf(folder);
    expect(error.code).toBe('MODEL_DAMAGED');
    expect(error.message).toContain('kokoro/config.json');
    expect(error.message).toContain('wrong size');
  });

  it('notices one changed byte when it checks in full, not when it checks quickly', async () => {
    const folder = writeScratchPack();
    writeFileSync(join(folder, 'whisper/config.json'), '{"a":2}');
    expect((await failureOf(folder)).message).toContain('SHA-256');
    await expect(loadPack(folder, { verification: 'quick' })).resolves.toMatchObject({ name: 'scratch' });
  });

  it('says that the manifest is missing when the folder is', async () => {
    const error = await failureOf('/nowhere/at/all');
    expect(error.code).toBe('MODEL_MISSING');
    expect(error.message).toContain('manifest.json');
  });

  it.each([
    ['is no JSON', 'not json'],
    ['is of another schema', JSON.stringify({ ...GOOD_MANIFEST, schemaVersion: 2 })],
    ['leads out of the pack', JSON.stringify(withFilePath('../../etc/passwd'))],
    ['has an absolute path', JSON.stringify(withFilePath('/etc/passwd'))],
    ['does not list the file of a stage', JSON.stringify(withoutLlama())],
  ])('calls a manifest damaged that %s', async (_, text) => {
    const folder = writeScratchPack();
    writeFileSync(join(folder, 'manifest.json'), text);
    const error = await failureOf(folder);
    expect(error.code).toBe('MODEL_DAMAGED');
    expect(error.message).toContain('manifest.json');
  });
});

describe('verifyPack', () => {
  it('lists every fault', async () => {
    const folder = writeScratchPack();
    expect(await verifyPack(folder)).toEqual([]);
    rmSync(join(folder, 'llama/model.gguf'));
    writeFileSync(join(folder, 'whisper/config.json'), '{"a":2}');
    expect(await verifyPack(folder)).toEqual([
      { path: 'whisper/config.json', fault: 'wrongHash' },
      { path: 'llama/model.gguf', fault: 'missing' },
    ]);
  });
});

describe('pack folders', () => {
  it('takes a name for a folder under models/ and anything else for a path', () => {
    expect(packFolderOf('embedded')).toBe(join(PACKS_FOLDER, 'embedded'));
    expect(packFolderOf('/srv/packs/big')).toBe('/srv/packs/big');
    expect(packFolderOf('./big')).toBe(join(process.cwd(), 'big'));
  });

  it('repairs the shipped pack from the repository and others from where they came', () => {
    expect(repairCommand(join(PACKS_FOLDER, 'embedded'))).toBe('git checkout -- models/embedded');
    expect(repairCommand('/srv/packs/big')).toContain('./wildfire doctor --set models.pack=/srv/packs/big');
  });
});

describe('manifest parser', () => {
  it('answers any mutilated manifest with a value or an error, nothing else', () => {
    const random = new SeededRandom(printedSeed('manifest parser'));
    const whole = JSON.stringify(GOOD_MANIFEST);
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(whole);
      for (let changes = random.integer(1, 4); changes > 0; changes--) {
        bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      }
      const text = bytes
        .subarray(0, random.isTrue(0.25) ? random.integer(0, bytes.length) : undefined)
        .toString();
      const allowed = ['SyntaxError', 'ZodError'];
      try {
        parseManifest(text);
      } catch (error) {
        expect(allowed).toContain((error as Error).name);
      }
    }
  });
});

async function failureOf(folder: string): Promise<WildfireError> {
  const error = await loadPack(folder).then(
    () => new Error('loaded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WildfireError);
  return error as WildfireError;
}

function withFilePath(path: string) {
  const [first, ...rest] = GOOD_MANIFEST.files;
  return { ...GOOD_MANIFEST, files: [{ ...first, path }, ...rest] };
}

function withoutLlama() {
  return { ...GOOD_MANIFEST, files: GOOD_MANIFEST.files.filter((file) => !file.path.startsWith('llama')) };
}
