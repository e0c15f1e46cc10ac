/**
 * `wildfire models`: which packs are installed, whether their files are whole, and where they lie.
 */
import { Command } from 'commander';
import { type ListedPack, listPacks } from '../models/list-packs.ts';
import { FAULT_WORDS, type FileFault, readManifest, verifyPack } from '../models/pack.ts';
import { packFolderOf, repairCommand, SHIPPED_PACK } from '../models/pack-folders.ts';
import { sealPack } from '../models/seal-pack.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';
import { synthesizeCommand } from './synthesize-command.ts';

interface Verified {
  readonly name: string;
  readonly folder: string;
  readonly ok: boolean;
  readonly files: number;
  readonly faults: readonly FileFault[];
  /** What brings it back; empty when it is whole. */
  readonly repair: string;
}

export function modelsCommand(exit: Exit): Command {
  const list = new Command('list')
    .description('list the installed packs')
    .option('--json', 'print one JSON document')
    .action(async ({ json }: { json?: boolean }) => {
      const packs = await listPacks();
      if (json === true) console.log(JSON.stringify({ packs }, null, 2));
      else for (const pack of packs) console.log(lineOf(pack));
      exit(packs.every(({ fault }) => fault === '') ? EXIT_OK : EXIT_BAD_RESULT);
    });
  const verify = new Command('verify')
    .description('check every file of a pack by its SHA-256')
    .argument('[name]', 'a pack under models/ or the path of one; none: every installed pack')
    .option('--json', 'print one JSON document')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const folders =
        name === undefined ? (await listPacks()).map(({ folder }) => folder) : [packFolderOf(name)];
      const packs: Verified[] = [];
      for (const folder of folders) packs.push(await verified(folder));
      if (json === true) console.log(JSON.stringify({ ok: packs.every(({ ok }) => ok), packs }, null, 2));
      else for (const pack of packs) printVerified(pack);
      exit(packs.every(({ ok }) => ok) ? EXIT_OK : EXIT_BAD_RESULT);
    });
  const path = new Command('path')
    .description("print a pack's folder")
    .argument('[name]', 'a pack under models/ or the path of one', SHIPPED_PACK)
    .action(async (name: string) => {
      const folder = packFolderOf(name);
      await readManifest(folder);
      console.log(folder);
    });
  const seal = new Command('seal')
    .description('write which files a pack has, with size and SHA-256, into its manifest.json')
    .argument('<folder>', 'a pack under models/ or the path of one, put together by hand')
    .action(async (name: string) => {
      const folder = packFolderOf(name);
      const { files } = await sealPack(folder);
      console.log(`${files.length} files; start with --set models.pack=${folder}`);
    });
  return new Command('models')
    .description('list the installed model packs, check them, find them, make ones')
    .addCommand(list)
    .addCommand(verify)
    .addCommand(path)
    .addCommand(seal)
    .addCommand(synthesizeCommand());
}

async function verified(folder: string): Promise<Verified> {
  const manifest = await readManifest(folder);
  const faults = await verifyPack(folder);
  const ok = faults.length === 0;
  const repair = ok ? '' : repairCommand(folder);
  return { name: manifest.name, folder, ok, files: manifest.files.length, faults, repair };
}

function lineOf({ name, version, licence, totalBytes, folder, fault }: ListedPack): string {
  const state = fault === '' ? `${(totalBytes / 2 ** 20).toFixed(1)} MiB` : `DAMAGED: ${fault}`;
  return [name.padEnd(16), version.padEnd(10), licence.padEnd(14), state.padEnd(10), folder].join('  ');
}

function printVerified({ name, ok, files, faults, repair }: Verified): void {
  if (ok) return console.log(`${name}: all ${files} files whole`);
  for (const { path, fault } of faults) console.log(`${name}: ${path} ${FAULT_WORDS[fault]}`);
  console.log(`${name}: repair it with ${repair}`);
}
