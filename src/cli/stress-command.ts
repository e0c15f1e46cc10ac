/**
 * `wildfire stress`: many generated callers at once, in this process, against a runtime in a process of its own or
 * against any SIP address. Every caller judges by what it hears whether it reached its goal.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { joinViews } from '../caller/call-result.ts';
import type { CallerGrammar, Phrasing } from '../caller/caller-grammar.ts';
import { type CrowdCall, type CrowdResult, runCrowd } from '../caller/crowd.ts';
import type { PlacedCall } from '../caller/place-call.ts';
import { messageOf, WildfireError } from '../errors.ts';
import { loadPack, type ModelPack } from '../models/pack.ts';
import { packFolderOf } from '../models/pack-folders.ts';
import { packGrammarOf, phrasingOption } from './caller-choice.ts';
import { type ConfigOptions, configOf, wholeNumber, withConfigOptions } from './config-options.ts';
import { writeConversation } from './conversation-output.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';
import { LOOPBACK, loopbackSettings, RuntimeProcess } from './runtime-process.ts';
import { RuntimeWatch } from './runtime-watch.ts';
import { type OwnRuntime, type StressReport, stressReport } from './stress-report.ts';

const DEFAULT_CALLS = 10;

interface StressOptions extends ConfigOptions {
  readonly calls?: number;
  readonly concurrent: number;
  readonly rate: number;
  readonly duration?: number;
  readonly seed: number;
  readonly target?: string;
  readonly mode: 'conversation' | 'echo';
  readonly phrasing: Phrasing;
  readonly out?: string;
  readonly json?: boolean;
}

export function stressCommand(exit: Exit): Command {
  return withConfigOptions(new Command('stress'))
    .description('let many callers call at once and count who reached its goal')
    .option(
      '--calls <n>',
      `callers in all (default: ${DEFAULT_CALLS}, or as many as fit into --duration)`,
      wholeNumber(1),
    )
    .option('--concurrent <n>', 'calls at once, at the most', wholeNumber(1), 4)
    .option('--rate <n>', 'calls begun in a second, at the most', positive, 2)
    .option('--duration <s>', 'no call begins later than this', positive)
    .option('--seed <n>', 'of the first caller; the next ones count up', wholeNumber(0), 1)
    .option('--target <uri>', 'a SIP address (default: a runtime of its own on loopback)')
    .addOption(
      new Option('--mode <mode>', 'what a call is').choices(['conversation', 'echo']).default('conversation'),
    )
    .addOption(phrasingOption())
    .option('--out <dir>', 'write the result, and the recording and page of every call that missed its goal')
    .option('--json', 'print one JSON document')
    .action(async (options: StressOptions) => exit(await run(options)));
}

async function run(options: StressOptions): Promise<number> {
  if (options.mode === 'echo') {
    throw new WildfireError('USAGE_INVALID', '--mode echo is not there yet; leave it out for conversations');
  }
  const pack = await loadPack(packFolderOf(configOf(options).models.pack));
  const grammar = packGrammarOf(pack);
  const report =
    options.target === undefined
      ? await stressOwn(options, pack, grammar)
      : await stressTarget(options, pack, grammar);
  if (options.out !== undefined) writeReport(options.out, report);
  if (options.json === true) console.log(JSON.stringify(report, null, 2));
  else printReport(report);
  return report.ok ? EXIT_OK : EXIT_BAD_RESULT;
}

async function stressTarget(
  options: StressOptions,
  pack: ModelPack,
  grammar: CallerGrammar,
): Promise<StressReport> {
  return stressReport(await call(options, { pack, grammar, targetUri: options.target ?? '' }), null);
}

async function stressOwn(
  options: StressOptions,
  pack: ModelPack,
  grammar: CallerGrammar,
): Promise<StressReport> {
  console.error('wildfire: starting the runtime on loopback ...');
  const runtime = await RuntimeProcess.start(runtimeSettings(options));
  try {
    const watch = await RuntimeWatch.start(runtime);
    const targetUri = `sip:stress@${LOOPBACK}:${runtime.sipPort}`;
    const crowd = await call(options, { pack, grammar, targetUri }, runtime);
    const established = crowd.calls.filter(({ isEstablished }) => isEstablished).length;
    await runtime.callsEnded(established);
    return stressReport(crowd, await ownRuntime(runtime, watch));
  } finally {
    await runtime.stop();
  }
}

async function ownRuntime(runtime: RuntimeProcess, watch: RuntimeWatch | null): Promise<OwnRuntime> {
  const underrunFrames = runtime.calls.reduce((sum, { rtp }) => sum + rtp.underrunFrames, 0);
  return { turns: runtime.turns, underrunFrames, figures: (await watch?.finish()) ?? null };
}

interface Target {
  readonly pack: ModelPack;
  readonly grammar: CallerGrammar;
  readonly targetUri: string;
}

function call(options: StressOptions, target: Target, runtime?: RuntimeProcess): Promise<CrowdResult> {
  const { concurrent, phrasing, rate, duration, out } = options;
  let ended = 0;
  return runCrowd({
    ...target,
    seeds: seedsOf(options),
    concurrent,
    phrasing,
    callsPerS: rate,
    ...(duration === undefined ? {} : { durationMs: duration * 1000 }),
    onCall: (one, placed) => {
      ended += 1;
      printCallEnd(ended, one);
      if (out !== undefined && placed !== null && !one.goalMet) writeMissed(out, { one, placed, runtime });
    },
  });
}

function* seedsOf({ seed, calls, duration }: StressOptions): Generator<number> {
  const count = calls ?? (duration === undefined ? DEFAULT_CALLS : Number.POSITIVE_INFINITY);
  for (let i = 0; i < count; i++) yield seed + i;
}

function runtimeSettings(options: StressOptions): string[] {
  const config = configOf(options);
  const maxCalls = Math.max(config.limits.maxCalls, options.concurrent);
  return [
    ...loopbackSettings(config),
    `limits.maxCalls=${maxCalls}`,
    ...['web.enabled=true', `web.bindAddress=${LOOPBACK}`, 'web.port=0'],
  ];
}

interface Missed {
  readonly one: CrowdCall;
  readonly placed: PlacedCall;
  readonly runtime: RuntimeProcess | undefined;
}

function writeMissed(out: string, { one, placed, runtime }: Missed): void {
  const report = runtime?.calls.find(({ sipCallId }) => sipCallId === placed.sipCallId) ?? null;
  const result = joinViews(placed, { turns: runtime?.turns ?? [], call: report });
  writeConversation(join(out, `missed-seed-${one.seed}`), result, placed);
}

function writeReport(out: string, report: StressReport): void {
  try {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, 'stress.json'), `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `--out ${out}: ${messageOf(error)}`);
  }
}

function printCallEnd(number: number, { seed, kind, goalMet, why, steps, durationMs }: CrowdCall): void {
  const verdict = goalMet ? 'ok' : 'MISSED';
  const length = `${steps.length} turns, ${Math.round(durationMs / 1000)} s`;
  console.error(`  call ${number} (seed ${seed}, ${kind}; ${length}) ${verdict}: ${why}`);
}

function printReport(report: StressReport): void {
  const { callsOffered, callsCompleted, callsFailed, goalsMet, turns, peakConcurrent, voiceToVoiceMs } =
    report;
  console.log(
    `\ngoals met: ${goalsMet} of ${callsOffered}; ${callsCompleted} calls completed, ${callsFailed} failed`,
  );
  console.log(`${turns} turns; ${peakConcurrent} calls at once at the most`);
  if (voiceToVoiceMs !== null) {
    const { p50, p95, max } = voiceToVoiceMs;
    console.log(`voice to voice: ${p50} ms p50, ${p95} ms p95, ${max} ms max`);
  }
  console.log(
    `RTP: ${Object.entries(report.rtp)
      .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
      .join(', ')}`,
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}
