/**
 * `wildfire call URI`: the built-in caller against any SIP URI. Goals are judged by what the callee said aloud.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { mixToMono, parseWav } from '../audio/wav.ts';
import { joinViews } from '../caller/call-result.ts';
import { startCallerEngines, toLineRate } from '../caller/caller-engines.ts';
import { type CallerScript, drawScript, readScript } from '../caller/script.ts';
import { messageOf, WildfireError } from '../errors.ts';
import { loadPack } from '../models/pack.ts';
import { packFolderOf } from '../models/pack-folders.ts';
import { localAddressTowards } from '../sip/local-address.ts';
import { type ConfigOptions, configOf, wholeNumber, withConfigOptions } from './config-options.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import { CALLER_VOICE, deliver, holdLiveCall } from './live-call.ts';
import type { Exit } from './program.ts';

interface CallOptions extends ConfigOptions {
  readonly script?: string;
  readonly wav?: string;
  readonly out?: string;
  readonly seed: number;
  readonly json?: boolean;
}

export function callCommand(exit: Exit): Command {
  return withConfigOptions(new Command('call'))
    .description('dial a SIP URI with the built-in caller')
    .argument('<uri>', 'for example sip:bot@127.0.0.1:5060')
    .option('--script <file>', "caller script (default: the pack's demo conversation)")
    .option('--wav <file>', 'play this recording as the only thing the caller says')
    .option('--seed <n>', "draws the script's details", wholeNumber(0), 1)
    .option('--out <dir>', 'write the recording, the timeline and a page')
    .option('--json', 'print one JSON document')
    .action(async (uri: string, options: CallOptions) => exit(await run(uri, options)));
}

async function run(uri: string, options: CallOptions): Promise<number> {
  const host = hostOf(uri);
  const pack = await loadPack(packFolderOf(configOf(options).models.pack));
  const recording = options.wav === undefined ? null : readRecording(options.wav);
  const script = recording === null ? scriptOf(options, pack.folder) : recordingScript(options.wav ?? '');
  const localAddress = await localAddressTowards(host);
  const engines = await startCallerEngines(pack, CALLER_VOICE);
  try {
    const placed = await holdLiveCall({ uri, localAddress, script, engines, recording });
    const result = joinViews(placed, { turns: [], call: null });
    deliver(result.goalsMet, result, placed, options);
    return result.goalsMet ? EXIT_OK : EXIT_BAD_RESULT;
  } finally {
    await engines.close();
  }
}

function scriptOf(options: CallOptions, packFolder: string): CallerScript {
  return drawScript(readScript(options.script ?? join(packFolder, 'callers', 'demo.json')), options.seed);
}

function recordingScript(file: string): CallerScript {
  const step = { goal: 'an answer to the recording', say: file, expect: ['.'] };
  return { name: file, expectsGreeting: true, choices: {}, steps: [step] };
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

/** The host part of a SIP URI. @throws WildfireError USAGE_INVALID */
function hostOf(uri: string): string {
  const match = /^sip:(?:[^@\s]+@)?([^:;?\s[\]]+|\[[^\]]+\])(?::\d+)?/i.exec(uri);
  if (match?.[1] === undefined) {
    throw new WildfireError(
      'USAGE_INVALID',
      `"${uri}" is no SIP URI; expected for example sip:bot@127.0.0.1:5060`,
    );
  }
  return match[1].replace(/^\[|\]$/g, '');
}
