/**
 * Writes into a pack's manifest which files it has, so that a pack can be put together by hand: whoever does writes the rest.
 * Thread: main of the CLI.
 */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, WildfireError } from '../errors.ts';
import { manifestSchema, type PackFile, type PackManifest } from './manifest.ts';
import { MANIFEST_FILE, sha256Of, stageFileNotListed } from './pack.ts';

const draftSchema = manifestSchema.omit({ files: true });

/**
 * Replaces `files` of FOLDER/manifest.json by what lies in the folders of the pack, and the language model wherever it lies;
 * a README beside the manifest may change. Nothing is written when the manifest would not be one.
 * @throws WildfireError MODEL_MISSING without a manifest, MODEL_DAMAGED that says what is wrong with it
 */
export async function sealPack(folder: string): Promise<PackManifest> {
  const packFolder = resolve(folder);
  const draft = await readDraft(packFolder);
  const { success, error, data: fields } = draftSchema.safeParse(draft);
  if (!success) throw unfit(packFolder, z.prettifyError(error));
  const files = await filesOf(packFolder, fields.stages.llama.file);
  const sealed = manifestSchema.safeParse({ ...draft, files });
  if (!sealed.success) throw unfit(packFolder, z.prettifyError(sealed.error));
  const { data } = sealed;
  const stage = stageFileNotListed(data);
  if (stage !== null) throw unfit(packFolder, `stages.${stage}: nothing lies there`);
  await write(packFolder, { ...draft, files });
  return data;
}

async function readDraft(folder: string): Promise<object> {
  const path = join(folder, MANIFEST_FILE);
  try {
    const draft: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof draft === 'object' && draft !== null && !Array.isArray(draft)) return draft;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      const message = `there is no ${MANIFEST_FILE} in ${folder}: write one without its files (docs/operations.md, "Real weights")`;
      throw new WildfireError('MODEL_MISSING', message, { cause: error });
    }
    throw unfit(folder, messageOf(error));
  }
  throw unfit(folder, 'it is no JSON object');
}

async function filesOf(folder: string, languageModel: string): Promise<PackFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => path.includes('/') || path === languageModel)
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort();
  const files: PackFile[] = [];
  for (const path of paths) {
    const { size } = await stat(join(folder, path));
    files.push({ path, bytes: size, sha256: await sha256Of(join(folder, path)) });
  }
  return files;
}

async function write(folder: string, manifest: object): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function unfit(folder: string, reason: string): WildfireError {
  return new WildfireError('MODEL_DAMAGED', `${join(folder, MANIFEST_FILE)}: ${reason}`);
}
