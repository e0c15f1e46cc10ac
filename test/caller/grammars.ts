/** The grammars that tests of callers run with: a small one of their own and, where it is there, the shipped pack's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CallerGrammar, GRAMMAR_FILE, readCallerGrammar } from '../../src/caller/caller-grammar.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';

export const SMALL_GRAMMAR_FILE = fileURLToPath(new URL('fixtures/grammar.json', import.meta.url));
export const SMALL_GRAMMAR: CallerGrammar = readCallerGrammar(SMALL_GRAMMAR_FILE);

const shipped = join(packFolderOf('embedded'), GRAMMAR_FILE);
if (!existsSync(shipped)) console.log(`skipped for the shipped grammar: no ${shipped}`);

/** [name, grammar] of each. */
export const GRAMMARS: readonly (readonly [string, CallerGrammar])[] = [
  ['small', SMALL_GRAMMAR] as const,
  ...(existsSync(shipped) ? [['shipped', readCallerGrammar(shipped)] as const] : []),
];
