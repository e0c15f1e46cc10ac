/** `wildfire models` as a user runs it. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeScratchPack } from '../models/scratch-pack.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const scratch = writeScratchPack();
afterAll(() => rmSync(scratch, { recursive: true }));

describe('models synthesize', () => {
  it.each([
    ['an unknown model', ['whisper-bass'], [/did you mean "whisper-base"/]],
    ['two models of a stage', ['whisper-tiny', 'whisper-base'], [/one whisper model/]],
    ['a dtype that no model has', ['kokoro-82m', '--dtype', 'q2_k'], [/q2_k/, /kokoro fp32/]],
    ['a folder that holds something', ['kokoro-82m', '--out', scratch], [/is not empty/]],
    ['a folder that cannot be made', ['kokoro-82m', '--out', '/proc/x'], [/--out \/proc\/x/]],
    ['a file for a folder', ['kokoro-82m', '--out', join(scratch, 'manifest.json')], [/not a directory/]],
    ['no model', [], [/missing required argument/]],
  ])('%s exits 2', async (_name, args, patterns) => {
    expectMistake(await wildfire(['models', 'synthesize', ...args]), 2, patterns);
  });

  it('makes a whole pack, and says where', async () => {
    const folder = join(scratch, 'made');
    const made = await wildfire([
      'models',
      'synthesize',
      'whisper-tiny',
      '--dtype',
      'fp16',
      '--out',
      folder,
      '--json',
    ]);
    expect(made.exitCode, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ name: 'synthetic-whisper-tiny-fp16', folder });
    const verified = await wildfire(['models', 'verify', folder]);
    expect([verified.exitCode, verified.stdout]).toEqual([0, expect.stringMatching(/all \d+ files whole/)]);
  });
});

describe('models', () => {
  it('lists the shipped pack', async () => {
    const { exitCode, stdout } = await wildfire(['models', 'list', '--json']);
    const { packs } = JSON.parse(stdout);
    expect(packs).toContainEqual(expect.objectContaining({ name: 'embedded' }));
    expect(exitCode).toBe(packs.every(({ fault }: { fault: string }) => fault === '') ? 0 : 1);
  });

  it('tells where a pack lies', async () => {
    const { exitCode, stdout } = await wildfire(['models', 'path']);
    expect([exitCode, stdout.trim().endsWith('models/embedded')]).toEqual([0, true]);
    expectMistake(await wildfire(['models', 'path', '/no/such']), 3, [/no\/such/]);
  });

  it('finds every damaged file', async () => {
    const whole = await wildfire(['models', 'verify', scratch]);
    expect([whole.exitCode, whole.stdout]).toEqual([0, 'scratch: all 3 files whole\n']);
    appendFileSync(join(scratch, 'llama/model.gguf'), 'x');
    rmSync(join(scratch, 'kokoro/config.json'));
    const damaged = await wildfire(['models', 'verify', scratch, '--json']);
    expect(damaged.exitCode).toBe(1);
    const { ok, packs } = JSON.parse(damaged.stdout);
    expect([ok, packs[0].faults]).toEqual([
      false,
      [
        { path: 'llama/model.gguf', fault: 'wrongSize' },
        { path: 'kokoro/config.json', fault: 'missing' },
      ],
    ]);
  });

  it('seals a pack that was put together by hand, and says what is wrong with one', async () => {
    const folder = writeScratchPack();
    const manifest = join(folder, 'manifest.json');
    const { files, ...draft } = JSON.parse(readFileSync(manifest, 'utf8'));
    rmSync(manifest);
    expectMistake(await wildfire(['models', 'seal', folder]), 3, [/no manifest\.json/, /Real weights/]);
    writeFileSync(manifest, JSON.stringify({ ...draft, licence: undefined }));
    expectMistake(await wildfire(['models', 'seal', folder]), 3, [/licence/]);
    writeFileSync(manifest, JSON.stringify(draft));
    const sealed = await wildfire(['models', 'seal', folder]);
    expect(sealed.exitCode, sealed.stderr).toBe(0);
    expect(JSON.parse(readFileSync(manifest, 'utf8')).files).toEqual(expect.arrayContaining(files));
    expect((await wildfire(['models', 'verify', folder])).exitCode).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('knows no other subcommand', async () => {
    expectMistake(await wildfire(['models', 'pull']), 2, [/unknown command 'pull'/]);
  });
});
