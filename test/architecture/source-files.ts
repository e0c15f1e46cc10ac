/** Lists the source files that the architecture tests look at. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY_ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SOURCE_ROOT = join(REPOSITORY_ROOT, 'src');

/** Absolute paths of all files under `folder` (default src/) whose name ends with `suffix`. */
export function sourceFiles(suffix: string, folder = SOURCE_ROOT): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith(suffix) && !entry.parentPath.includes('node_modules'),
    )
    .map((entry) => join(entry.parentPath, entry.name));
}
