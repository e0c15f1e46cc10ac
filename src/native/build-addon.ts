/**
 * Builds the addon from its sources with cargo. Run by the launcher at install where no prebuilt one fits, by hand
 * and by CI.
 *
 *   node src/native/build-addon.ts               builds for this box, into .wildfire/native
 *   node src/native/build-addon.ts --if-needed   only where no addon loads and there is cargo; never fails
 *   node src/native/build-addon.ts --prebuilt    builds the one that the repository brings (linux-x64-gnu)
 *   node src/native/build-addon.ts --verify      builds, and compares with the prebuilt one byte for byte
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, WildfireError } from '../errors.ts';
import { loadAddon, nativeAddon } from './addon.ts';
import { builtFile, CRATE_FOLDER, PREBUILT_FILE, sourceHash } from './addon-files.ts';

const LIBRARY_NAMES: Readonly<Record<string, string>> = {
  darwin: 'libwildfire_native.dylib',
  win32: 'wildfire_native.dll',
};

main();

function main(): void {
  const { values } = parseArgs({
    options: {
      'if-needed': { type: 'boolean', default: false },
      prebuilt: { type: 'boolean', default: false },
      verify: { type: 'boolean', default: false },
    },
  });
  try {
    if (values['if-needed']) buildIfNeeded();
    else if (values.prebuilt) say(`built ${buildInto(PREBUILT_FILE)}`);
    else if (values.verify) verify();
    else say(`built ${buildInto(builtFile())}`);
  } catch (error) {
    say(messageOf(error));
    process.exitCode = values['if-needed'] ? 0 : 1;
  }
}

function buildIfNeeded(): void {
  const { addon, remark } = nativeAddon();
  if (addon !== null) return;
  if (!hasCargo()) {
    say(`no native addon (${remark}) and no cargo to build one: TypeScript does its work`);
    return;
  }
  say('no native addon for this box: building it with cargo (a minute or two, only now)');
  say(`built ${buildInto(builtFile())}`);
}

/** The prebuilt addon is what the present sources give: the same bytes where the same tools are at hand. */
function verify(): void {
  const built = loadAddon(buildInto(builtFile())).describe();
  const prebuilt = loadAddon(PREBUILT_FILE).describe();
  if (prebuilt.sourceHash !== built.sourceHash) {
    throw new WildfireError(
      'INVALID_STATE',
      'the prebuilt addon comes from other sources: npm run build:native -- --prebuilt',
    );
  }
  const isSame = readFileSync(builtFile()).equals(readFileSync(PREBUILT_FILE));
  if (prebuilt.toolchain !== built.toolchain) {
    say(
      `the prebuilt addon names the present sources; its tools (${prebuilt.toolchain}) are not those of this box`,
    );
  } else if (isSame) {
    say('the prebuilt addon is, byte for byte, what the present sources give');
  } else {
    throw new WildfireError('INVALID_STATE', 'the prebuilt addon is not what its sources and tools give');
  }
}

function buildInto(target: string): string {
  const hash = sourceHash();
  // Paths of this box must not get into the binary: it has to be the same wherever it is built.
  const remaps = [`${CRATE_FOLDER}=crate`, `${join(homedir(), '.cargo')}=cargo`];
  const flags = remaps.map((remap) => `"--remap-path-prefix=${remap}"`);
  const { status } = spawnSync(
    'cargo',
    [
      ...['build', '--release', '--locked', '--package', 'wildfire-native'],
      ...['--config', `env.WILDFIRE_SOURCE_HASH="${hash}"`],
      ...['--config', `build.rustflags=[${flags.join(',')}]`],
    ],
    { cwd: CRATE_FOLDER, stdio: ['ignore', 2, 2] },
  );
  if (status !== 0)
    throw new WildfireError('INVALID_STATE', 'cargo could not build the native addon (see above)');
  const library = join(
    CRATE_FOLDER,
    'target/release',
    LIBRARY_NAMES[process.platform] ?? 'libwildfire_native.so',
  );
  mkdirSync(dirname(target), { recursive: true });
  // Into place by a new file: overwriting one that a process has loaded would end that process.
  const fresh = `${target}.${process.pid}`;
  copyFileSync(library, fresh);
  rmSync(target, { force: true });
  renameSync(fresh, target);
  return target;
}

function hasCargo(): boolean {
  return spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0;
}

function say(line: string): void {
  console.error(`wildfire: ${line}`);
}
