/**
 * Where packs live: `models/` of the installation holds the shipped one and those put beside it, one folder each.
 * Thread: main and the CLI, at start.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSTALLATION_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/** The folder that holds the packs. */
export const PACKS_FOLDER = join(INSTALLATION_FOLDER, 'models');
/** The pack that comes with the repository, and so is repaired from it. */
export const SHIPPED_PACK = 'embedded';

/**
 * The folder of a pack given as the configuration gives it.
 * @param pack the name of a folder under models/, or a path to a folder elsewhere.
 * @returns absolute; whether anything is there is loadPack's business.
 */
export function packFolderOf(pack: string): string {
  const isPath = isAbsolute(pack) || pack.includes('/') || pack.startsWith('.');
  return isPath ? resolve(pack) : join(PACKS_FOLDER, pack);
}

/** Folders under models/ that have a manifest, sorted by name. */
export async function installedPackFolders(packsFolder: string = PACKS_FOLDER): Promise<string[]> {
  const entries = await readdir(packsFolder, { withFileTypes: true }).catch(() => []);
  return entries
    .map((entry) => join(packsFolder, entry.name))
    .filter((folder) => existsSync(join(folder, 'manifest.json')))
    .sort();
}

/**
 * How a damaged pack is brought back: the shipped one by a command, any other by whoever has it, and by a command
 * that checks it afterwards.
 */
export function repairCommand(folder: string): string {
  if (resolve(folder) === join(PACKS_FOLDER, SHIPPED_PACK)) {
    return `git checkout -- ${relative(INSTALLATION_FOLDER, folder)}`;
  }
  return `copying it again from where the pack came from, then: ./wildfire doctor --set models.pack=${folder}`;
}
