/**
 * `wildfire models synthesize`: packs of real architectures with random weights, for timing without a download.
 */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { nearestName } from '../config/key-paths.ts';
import { WildfireError } from '../errors.ts';
import { PACKS_FOLDER } from '../models/pack-folders.ts';
import { SHAPES } from '../models/synthesis/shapes.ts';
import { DTYPES, nameOf, type SyntheticModel, synthesizePack } from '../models/synthesis/synthesize-pack.ts';
import { wholeNumber } from './config-options.ts';
import { prepareFolder } from './output-folder.ts';

interface SynthesizeOptions {
  readonly out?: string;
  readonly dtype?: string;
  readonly seed: number;
  readonly json?: boolean;
}

const NAMES = Object.keys(SHAPES);
const DEFAULT_SEED = 1;

export function synthesizeCommand(): Command {
  return new Command('synthesize')
    .description(
      'make a pack of real architectures with random weights: true for timing, meaningless for quality',
    )
    .argument('<model...>', `one for each stage at the most: ${NAMES.join(', ')}`)
    .option('--out <dir>', 'the pack, new or empty (default: models/synthetic-MODEL...)')
    .option('--dtype <list>', `how weights are stored: ${dtypeList()}`)
    .option('--seed <n>', 'equal seeds give equal weights', wholeNumber(0), DEFAULT_SEED)
    .option('--json', 'print one JSON document')
    .action(async (names: string[], { out, dtype, seed, json }: SynthesizeOptions) => {
      const models = modelsOf(names, dtype);
      const folder = out === undefined ? join(PACKS_FOLDER, nameOf(models)) : resolve(out);
      if (out !== undefined) prepareFolder(folder);
      const onProgress = (line: string): void => console.error(`  ${line}`);
      const { name, files } = await synthesizePack({ models, seed, folder, onProgress });
      const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
      if (json === true) console.log(JSON.stringify({ name, folder, totalBytes, files }, null, 2));
      else console.log(`${name}: ${(totalBytes / 2 ** 20).toFixed(1)} MiB of random weights in ${folder}`);
    });
}

/** @throws WildfireError USAGE_INVALID that says what there is. */
function modelsOf(names: readonly string[], dtypes: string | undefined): SyntheticModel[] {
  const wanted = dtypes?.split(',').map((text) => text.trim()) ?? [];
  const models = names.map((name) => modelOf(name, wanted));
  const stages = models.map(({ named }) => named.stage);
  const twice = stages.find((stage, index) => stages.indexOf(stage) !== index);
  if (twice !== undefined) throw new WildfireError('USAGE_INVALID', `a pack has one ${twice} model, not two`);
  for (const dtype of wanted) {
    if (!models.some((model) => model.dtype === dtype)) {
      throw new WildfireError(
        'USAGE_INVALID',
        `--dtype: no model takes "${dtype}"; there are ${dtypeList()}`,
      );
    }
  }
  return models;
}

function modelOf(name: string, wanted: readonly string[]): SyntheticModel {
  const named = SHAPES[name];
  if (named === undefined) {
    const nearest = nearestName(name, NAMES);
    throw new WildfireError('USAGE_INVALID', `no model is called "${name}"; did you mean "${nearest}"?`);
  }
  const offered = DTYPES[named.stage];
  return { name, named, dtype: wanted.find((dtype) => offered.includes(dtype)) ?? (offered[0] as string) };
}

function dtypeList(): string {
  return Object.entries(DTYPES)
    .map(([stage, names]) => `${stage} ${names.join('|')}`)
    .join(', ');
}
