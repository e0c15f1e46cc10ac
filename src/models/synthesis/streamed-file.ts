/**
 * Writes files piece by piece, hashing on the way: what a model of gigabytes needs is one block of memory.
 * Thread: the CLI.
 */
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PackFile } from '../manifest.ts';
import { fillFrom, type PatternBytes } from './random-weights.ts';

/** What a file is made of, in order. */
export type FilePart = Uint8Array | PatternBytes;

const BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * Writes a new file below `folder`, and the folders it needs.
 * @returns the file as a manifest lists it.
 * @throws the error of the file system, such as ENOSPC.
 */
export async function writeParts(folder: string, path: string, parts: Iterable<FilePart>): Promise<PackFile> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  const file = await open(join(folder, path), 'w');
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for (const block of blocksOf(parts)) {
      hash.update(block);
      await file.writeFile(block);
      bytes += block.length;
    }
  } finally {
    await file.close();
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

/** How many bytes the part is. */
export function lengthOf(part: FilePart): number {
  return part instanceof Uint8Array ? part.length : part.bytes;
}

// Each block is used up before the next is made, so that one buffer serves all.
function* blocksOf(parts: Iterable<FilePart>): Generator<Uint8Array> {
  const buffer = new Uint8Array(BLOCK_BYTES);
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      yield part;
      continue;
    }
    for (let at = 0; at < part.bytes; at += BLOCK_BYTES) {
      const block = buffer.subarray(0, Math.min(BLOCK_BYTES, part.bytes - at));
      fillFrom(part, at, block);
      yield block;
    }
  }
}
