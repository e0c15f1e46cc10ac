/**
 * models.callers.goalsMet: generated callers of held-out phrasings, each with a voice, a line and manners of its own,
 * call a runtime in a process of its own over real SIP and RTP; a goal is met by what the caller heard alone.
 * Run: node bench/main.ts models/callers [--callers N] [--pack PACK]
 */
import { join } from 'node:path';
import { joinViews } from '../../src/caller/call-result.ts';
import { GRAMMAR_FILE, readCallerGrammar } from '../../src/caller/caller-grammar.ts';
import { type CrowdCall, type CrowdResult, runCrowd } from '../../src/caller/crowd.ts';
import type { PlacedCall } from '../../src/caller/place-call.ts';
import { loopbackSettings, RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import {
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  figure,
  quantiles,
  rounded,
} from '../bench-row.ts';
import { packMachine } from './engines.ts';
import { judged } from './targets.ts';

interface Missed {
  readonly call: CrowdCall;
  readonly placed: PlacedCall | null;
}

const FIRST_SEED = 520_000;
const CONCURRENT = 20;
const MOST_EXAMPLES = 40;

export async function benchRows(options: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(options.pack));
  const runtime = await RuntimeProcess.start(settings(pack));
  try {
    const missed: Missed[] = [];
    const crowd = await letThemCall(pack, runtime, { callers: options.callers, missed });
    const established = crowd.calls.filter(({ isEstablished }) => isEstablished).length;
    await runtime.callsEnded(established);
    return {
      rows: [judged(goalRow(crowd, missed, runtime)), waitRow(crowd)],
      machine: packMachine(pack),
    };
  } finally {
    await runtime.stop();
  }
}

function letThemCall(
  pack: ModelPack,
  runtime: RuntimeProcess,
  { callers, missed }: { readonly callers: number; readonly missed: Missed[] },
): Promise<CrowdResult> {
  let ended = 0;
  return runCrowd({
    targetUri: `sip:bench@127.0.0.1:${runtime.sipPort}`,
    pack,
    grammar: readCallerGrammar(join(pack.folder, GRAMMAR_FILE)),
    seeds: Array.from({ length: callers }, (_, i) => FIRST_SEED + i),
    concurrent: CONCURRENT,
    phrasing: 'heldOut',
    onCall: (call, placed) => {
      ended += 1;
      if (!call.goalMet) missed.push({ call, placed });
      if (ended % 10 === 0) console.error(`   callers: ${ended} of ${callers}, ${missed.length} missed`);
    },
  });
}

function goalRow(
  { calls, peakConcurrent }: CrowdResult,
  missed: readonly Missed[],
  runtime: RuntimeProcess,
): BenchRow {
  const met = calls.filter(({ goalMet }) => goalMet).length;
  const kinds = Map.groupBy(calls, ({ kind }) => kind);
  const noisy = calls.filter(({ line }) => line.snrDb !== null);
  return figure('models.callers.goalsMet', 'fraction', met / calls.length, {
    callers: calls.length,
    met,
    established: calls.filter(({ isEstablished }) => isEstablished).length,
    peakConcurrent,
    turns: calls.reduce((sum, { steps }) => sum + steps.length, 0),
    byKind: Object.fromEntries(
      [...kinds].map(([kind, own]) => [
        kind,
        { met: own.filter(({ goalMet }) => goalMet).length, of: own.length },
      ]),
    ),
    noisyLines: { met: noisy.filter(({ goalMet }) => goalMet).length, of: noisy.length },
    firstSeed: FIRST_SEED,
    missed: missed.slice(0, MOST_EXAMPLES).map((one) => explained(one, runtime)),
  });
}

/** A missed goal: what was said, what the agent took it for, what the caller heard. */
function explained({ call, placed }: Missed, runtime: RuntimeProcess): object {
  const report = runtime.calls.find(({ sipCallId }) => sipCallId === call.sipCallId) ?? null;
  const joined = placed === null ? null : joinViews(placed, { turns: runtime.turns, call: report });
  return {
    seed: call.seed,
    kind: call.kind,
    goal: call.goal,
    line: call.line,
    voice: call.voice,
    why: call.why,
    turns: (joined?.turns ?? []).map(({ said, heard, reply }) => ({ said, heard, reply })),
  };
}

function waitRow({ calls, peakConcurrent }: CrowdResult): BenchRow {
  const waits = calls.flatMap(({ steps }) =>
    steps.map(({ voiceToVoiceMs }) => voiceToVoiceMs).filter((waitMs) => waitMs !== null),
  );
  return quantiles('models.callers.voiceToVoiceMs', 'ms', waits.map(rounded), {
    remark: `up to ${peakConcurrent} calls at once, callers on the same machine`,
  });
}

function settings({ folder }: ModelPack): string[] {
  return [...loopbackSettings(loadConfig({ settings: [`models.pack=${folder}`] })), 'web.enabled=false'];
}
