/** Who calls: a pack of their own; the script given, a caller generated from the pack's grammar, or the pack's script. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import type { CallerEngines } from '../caller/caller-engines.ts';
import { type CallerGrammar, GRAMMAR_FILE, PHRASINGS, readCallerGrammar } from '../caller/caller-grammar.ts';
import type { CallerPlan } from '../caller/caller-plan.ts';
import { generatedCaller, type LiveCaller, scriptedCaller } from '../caller/live-caller.ts';
import { drawScript, readScript } from '../caller/script.ts';
import type { Config } from '../config/schema.ts';
import { WildfireError } from '../errors.ts';
import { loadPack, type ModelPack } from '../models/pack.ts';
import { packFolderOf } from '../models/pack-folders.ts';

export interface CallerChoice {
  /** File of a caller script. */
  readonly script?: string;
  readonly seed: number;
}

/** Makes the caller once the engines are there; what is wrong with the files shows before. */
export type MakeCaller = (engines: CallerEngines) => Promise<LiveCaller>;

const SCRIPT_FILE = 'callers/demo.json';

/**
 * The callers' pack, when the runtime is started here, too: the runtime's is checked before any model is loaded, and read
 * once where callers have the same.
 * @throws WildfireError MODEL_MISSING, MODEL_DAMAGED
 */
export async function loadBothPacks(config: Config): Promise<ModelPack> {
  const { pack, callerPack } = config.models;
  const ofRuntime = await loadPack(packFolderOf(pack));
  return packFolderOf(callerPack) === ofRuntime.folder ? ofRuntime : loadCallerPack(config);
}

/** The callers' pack, which need not be the runtime's. @throws WildfireError MODEL_MISSING, MODEL_DAMAGED */
export function loadCallerPack({ models }: Config): Promise<ModelPack> {
  return loadPack(packFolderOf(models.callerPack));
}

/** @throws WildfireError USAGE_INVALID, or MODEL_MISSING when the pack has no callers and no script is given */
export function chooseCaller(
  pack: ModelPack,
  { script, seed }: CallerChoice,
  plan: (grammar: CallerGrammar) => CallerPlan,
): MakeCaller {
  const grammarFile = join(pack.folder, GRAMMAR_FILE);
  if (script === undefined && existsSync(grammarFile)) {
    const grammar = readCallerGrammar(grammarFile);
    return (engines) => generatedCaller(plan(grammar), grammar, engines.render);
  }
  const drawn = drawScript(readScript(script ?? packScriptOf(pack)), seed);
  return async (engines) => scriptedCaller(drawn, engines.render);
}

/** The pack's grammar. @throws WildfireError USAGE_INVALID, or MODEL_MISSING when it has none */
export function packGrammarOf(pack: ModelPack): CallerGrammar {
  const file = join(pack.folder, GRAMMAR_FILE);
  if (existsSync(file)) return readCallerGrammar(file);
  throw new WildfireError(
    'MODEL_MISSING',
    `pack "${pack.name}" has no grammar for callers (${file}); name one that has with models.callerPack`,
  );
}

/** --phrasing. */
export function phrasingOption(): Option {
  return new Option(
    '--phrasing <kind>',
    'what callers say: what the models were trained on, or what they never saw',
  )
    .choices(PHRASINGS)
    .default('trained');
}

function packScriptOf(pack: ModelPack): string {
  const file = join(pack.folder, SCRIPT_FILE);
  if (existsSync(file)) return file;
  throw new WildfireError(
    'MODEL_MISSING',
    `pack "${pack.name}" has no callers (${GRAMMAR_FILE}, ${SCRIPT_FILE}); give a script with --script FILE, or a pack that has callers with models.callerPack`,
  );
}
