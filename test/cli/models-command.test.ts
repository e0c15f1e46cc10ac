/** `wildfire models` as a user runs it. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeScratchPack } from '../models/scratch-pack.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const scratch = writeScratchPack();
afterAll(() => rmSync(scratch, { recursive: true }));

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

  it('knows no other subcommand', async () => {
    expectMistake(await wildfire(['models', 'pull']), 2, [/unknown command 'pull'/]);
  });
});
