/** What `models list` and `doctor` say about the installed packs. Thread: main and the CLI. */
import { basename } from 'node:path';
import { messageOf } from '../errors.ts';
import { loadPack } from './pack.ts';
import { installedPackFolders } from './pack-folders.ts';

export interface ListedPack {
  readonly name: string;
  readonly folder: string;
  readonly version: string;
  readonly licence: string;
  readonly totalBytes: number;
  /** Empty when every file is there in its size. */
  readonly fault: string;
}

/** Every installed pack, whole or not, sorted by folder; checked quickly. Never throws for a damaged one. */
export async function listPacks(packsFolder?: string): Promise<ListedPack[]> {
  const folders = await installedPackFolders(packsFolder);
  return Promise.all(folders.map(listed));
}

async function listed(folder: string): Promise<ListedPack> {
  try {
    const { name, version, licence, totalBytes } = await loadPack(folder, { verification: 'quick' });
    return { name, folder, version, licence, totalBytes, fault: '' };
  } catch (error) {
    return {
      name: basename(folder),
      folder,
      version: '',
      licence: '',
      totalBytes: 0,
      fault: messageOf(error),
    };
  }
}
