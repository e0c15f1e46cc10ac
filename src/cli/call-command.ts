/**
 * `wildfire call URI`: the built-in caller against any SIP URI. Goals are judged by what the callee said aloud.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { mixToMono, parseWav } from '../audio/wav.ts';
import { joinViews } from '../caller/call-result.ts';
import { localAddressFor } from '../caller/callee-address.ts';
import { startCallerEngines, toLineRate } from '../caller/caller-engines.ts';
import type { Phrasing } from '../caller/caller-grammar.ts';
import { planCaller } from '../caller/caller-plan.ts';
import { recordedCaller } from '../caller/live-caller.ts';
import { messageOf, WildfireError } from '../errors.ts';
import type { ModelPack } from '../models/pack.ts';
import { chooseCaller, loadCallerPack, type MakeCaller, phrasingOption } from './caller-choice.ts';
import { type ConfigOptions, configOf, wholeNumber, withConfigOptions } from './config-options.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import { deliver, holdLiveCall } from './live-call.ts';
import { prepareFolder } from './output-folder.ts';
import type { Exit } from './program.ts';

interface CallOptions extends ConfigOptions {
  readonly script?: string;
  readonly wav?: string;
  readonly out?: string;
  readonly seed: number;
  readonly phrasing: Phrasing;
  readonly json?: boolean;
}

export function callCommand(exit: Exit): Command {
  return withConfigOptions(new Command('call'))
    .description('dial a SIP URI with the built-in caller')
    .argument('<uri>', 'for example sip:bot@127.0.0.1:5060')
    .option('--script <file>', "caller script (default: a caller drawn from the callers' grammar)")
    .option('--wav <file>', 'play this recording as the only thing the caller says')
    .option('--seed <n>', "draws the caller, or the script's details", wholeNumber(0), 1)
    .addOption(phrasingOption())
    .option('--out <dir>', 'write the recording, the timeline and a page')
    .option('--json', 'print one JSON document')
    .action(async (uri: string, options: CallOptions) => exit(await run(uri, options)));
}

async function run(uri: string, options: CallOptions): Promise<number> {
  const localAddress = await localAddressFor(uri);
  const pack = await loadCallerPack(configOf(options));
  const makeCaller = callerOf(options, pack);
  if (options.out !== undefined) prepareFolder(options.out);
  const engines = await startCallerEngines(pack);
  try {
    const caller = await makeCaller(engines);
    const placed = await holdLiveCall({ uri, localAddress, caller, transcribe: engines.transcribe });
    const result = joinViews(placed, { turns: [], call: null });
    deliver(result.goalsMet, result, placed, options);
    return result.goalsMet ? EXIT_OK : EXIT_BAD_RESULT;
  } finally {
    await engines.close();
  }
}

function callerOf(options: CallOptions, pack: ModelPack): MakeCaller {
  const { wav, seed, phrasing } = options;
  if (wav === undefined)
    return chooseCaller(pack, options, (grammar) => planCaller({ grammar, seed, phrasing }));
  const recording = readRecording(wav);
  return async () => recordedCaller(wav, recording);
}

function readRecording(file: string): Int16Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `--wav: cannot read ${file}: ${messageOf(error)}`);
  }
  const audio = parseWav(bytes);
  return toLineRate(mixToMono(audio), audio.rateHz);
}
