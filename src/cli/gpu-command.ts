/**
 * `wildfire gpu install`: fetches the CUDA or Vulkan binaries of node-llama-cpp, which the first install leaves
 * out because they are hundreds of MB. package.json maps those packages to one that no Linux or Windows box
 * installs; here the real one is put in its place.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { WildfireError } from '../errors.ts';
import { EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));

export function gpuCommand(exit: Exit): Command {
  const install = new Command('install')
    .description('install the GPU binaries of the language model engine (70 to 540 MB)')
    .addOption(new Option('--backend <name>', 'which binaries').choices(['cuda', 'vulkan']).default('cuda'))
    .option('--dry-run', 'print what would be installed')
    .action((options: { backend: 'cuda' | 'vulkan'; dryRun?: boolean }) => {
      const packages = packagesFor(options.backend, `${process.platform}-${process.arch}`);
      for (const name of packages) {
        if (options.dryRun === true) console.log(`${name}@${llamaVersion()}`);
        else installPackage(name, llamaVersion());
      }
      exit(EXIT_OK);
    });
  return new Command('gpu').description('GPU binaries').addCommand(install);
}

function packagesFor(backend: 'cuda' | 'vulkan', platform: string): string[] {
  const names: Record<string, string[]> = {
    'cuda linux-x64': ['@node-llama-cpp/linux-x64-cuda', '@node-llama-cpp/linux-x64-cuda-ext'],
    'cuda win32-x64': ['@node-llama-cpp/win-x64-cuda', '@node-llama-cpp/win-x64-cuda-ext'],
    'vulkan linux-x64': ['@node-llama-cpp/linux-x64-vulkan'],
    'vulkan win32-x64': ['@node-llama-cpp/win-x64-vulkan'],
  };
  const found = names[`${backend} ${platform}`];
  if (found === undefined) {
    throw new WildfireError('USAGE_INVALID', `there are no ${backend} binaries for ${platform}`);
  }
  return found;
}

function llamaVersion(): string {
  const manifest = JSON.parse(readFileSync(join(NODE_MODULES, 'node-llama-cpp/package.json'), 'utf8'));
  return String(manifest.version);
}

function installPackage(name: string, version: string): void {
  const staging = mkdtempSync(join(NODE_MODULES, '.gpu-'));
  try {
    console.error(`wildfire: installing ${name}@${version}`);
    const flags = ['--prefix', staging, '--no-save', '--no-fund', '--no-audit', '--ignore-scripts'];
    const run = spawnSync('npm', ['install', ...flags, `${name}@${version}`], { stdio: ['ignore', 2, 2] });
    const fetched = join(staging, 'node_modules', name);
    if (run.status !== 0 || !existsSync(fetched)) {
      throw new WildfireError('MODEL_MISSING', `npm could not install ${name}@${version} (see above)`);
    }
    rmSync(join(NODE_MODULES, name), { recursive: true, force: true });
    renameSync(fetched, join(NODE_MODULES, name));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
