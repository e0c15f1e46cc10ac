/** The list of installed packs. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listPacks } from '../../src/models/list-packs.ts';
import { writeScratchPack } from './scratch-pack.ts';

it('lists whole and damaged packs and skips folders that are none', async () => {
  const packs = mkdtempSync(join(tmpdir(), 'wildfire-packs-'));
  cpSync(writeScratchPack(), join(packs, 'b-whole'), { recursive: true });
  cpSync(writeScratchPack(), join(packs, 'a-broken'), { recursive: true });
  rmSync(join(packs, 'a-broken/whisper/config.json'));
  mkdirSync(join(packs, 'c-nothing'));
  const listed = await listPacks(packs);
  expect(listed.map((pack) => [pack.name, pack.fault === ''])).toEqual([
    ['a-broken', false],
    ['scratch', true],
  ]);
  expect(listed[0]!.fault).toContain('whisper/config.json');
});

it('is empty where no packs folder is', async () => {
  expect(await listPacks('/nowhere/at/all')).toEqual([]);
});
