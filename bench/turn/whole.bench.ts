/**
 * turn.voiceToVoice, turn.overhead (and its p95), turn.explained: whole turns over real SIP and RTP, one call at a time, as each caller
 * measures them on its wire, and what the runtime adds to endpointing and models.
 * Run: ./wildfire bench turn/whole [--limit CALLS]
 */
import { runCrowd } from '../../src/caller/crowd.ts';
import { loadCallerPack, packGrammarOf } from '../../src/cli/caller-choice.ts';
import { LOOPBACK, loopbackSettings, RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { loadConfig } from '../../src/config/load.ts';
import {
  accountsOf,
  EXPLAINED_WITHIN_MS,
  type TurnAccount,
  timelineOf,
} from '../../src/stress/turn-accounts.ts';
import { aimedAt, type BenchOptions, type BenchResult, figure, quantiles } from '../bench-row.ts';

const DEFAULT_CALLS = 6;
const TARGET_MS = { voiceToVoice: 500, overheadP95: 40 };

export async function benchRows({ pack: name, device, limit }: BenchOptions): Promise<BenchResult> {
  const settings = [`models.pack=${name}`, `whisper.device=${device}`];
  const accounts = await callOneAfterAnother(settings, limit ?? DEFAULT_CALLS);
  const of = (part: keyof TurnAccount): number[] => accounts.map((account) => account[part]);
  const overhead = quantiles('turn.overhead', 'ms', of('overheadMs'));
  const { explained, explainedSinceDecision } = timelineOf(accounts);
  const shares = {
    withinMs: EXPLAINED_WITHIN_MS,
    turns: accounts.length,
    sinceDecision: explainedSinceDecision,
  };
  return {
    rows: [
      aimedAt(quantiles('turn.voiceToVoice', 'ms', of('wireMs')), { atMost: TARGET_MS.voiceToVoice }),
      overhead,
      aimedAt(figure('turn.overheadP95', 'ms', overhead.p95 ?? Number.NaN), {
        atMost: TARGET_MS.overheadP95,
      }),
      figure('turn.explained', 'fraction', explained, shares),
    ],
    machine: { pack: name },
  };
}

async function callOneAfterAnother(settings: readonly string[], calls: number): Promise<TurnAccount[]> {
  const config = loadConfig({ settings });
  const pack = await loadCallerPack(config);
  const runtime = await RuntimeProcess.start([...loopbackSettings(config), 'web.enabled=false']);
  try {
    const crowd = await runCrowd({
      targetUri: `sip:bench@${LOOPBACK}:${runtime.sipPort}`,
      pack,
      grammar: packGrammarOf(pack),
      seeds: Array.from({ length: calls }, (_, index) => index + 1),
      concurrent: 1,
      phrasing: 'trained',
    });
    await runtime.callsEnded(crowd.calls.filter(({ isEstablished }) => isEstablished).length);
    return accountsOf(crowd.calls, runtime.turns);
  } finally {
    await runtime.stop();
  }
}
