/**
 * `wildfire stress`: many callers at once, in this process, against a runtime in a process of its own or against any SIP
 * address. Conversations are judged by what their callers hear, an echo by every packet that comes back.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { localAddressFor } from '../caller/callee-address.ts';
import type { Phrasing } from '../caller/caller-grammar.ts';
import { WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import { hasLeaked, searchCapacity } from '../stress/capacity-search.ts';
import { type Objective, parseObjective } from '../stress/objective.ts';
import type { StressMode, StressReport } from '../stress/stress-report.ts';
import { loadBothPacks, loadCallerPack, packGrammarOf, phrasingOption } from './caller-choice.ts';
import { type ConfigOptions, configOf, wholeNumber, withConfigOptions } from './config-options.ts';
import { EXIT_BAD_RESULT, EXIT_OK } from './exit-codes.ts';
import type { Exit } from './program.ts';
import { LOOPBACK, loopbackSettings } from './runtime-process.ts';
import { stressCompareCommand } from './stress/stress-compare.ts';
import { type LoadOptions, refuseConflicts } from './stress/stress-conflicts.ts';
import { StressOutput } from './stress/stress-output.ts';
import { printReport, printStep } from './stress/stress-printer.ts';
import { type Load, type RunOptions, runLoad } from './stress/stress-run.ts';

const DEFAULT_CALLS = 10;
const DEFAULT_CONCURRENT: Record<StressMode, number> = { conversation: 4, echo: 50, consecutive: 1 };
const DEFAULT_CALLS_PER_S: Record<StressMode, number> = { conversation: 2, echo: 20, consecutive: 20 };
const DEFAULT_ECHO_HOLD_S = 10;
const DEFAULT_SLO: Record<StressMode, string> = {
  conversation: 'p95=1500',
  echo: 'p99=100',
  consecutive: 'p95=1500',
};
const DEFAULT_MOST: Record<StressMode, number> = { conversation: 128, echo: 1000, consecutive: 128 };
const DEFAULT_LIMIT_S = 600;
/** A step of the search comes up within this long, and then holds. */
const STEP_RAMP_S = 8;
const STEP_HOLD_MS: Record<StressMode, number> = { conversation: 20_000, echo: 10_000, consecutive: 20_000 };
/** A caller of a step who has not hung up by then has failed: an overloaded box must not hold up the search. */
const STEP_CALL_LIMIT_MS = 120_000;

interface StressOptions extends ConfigOptions, LoadOptions {
  readonly concurrent?: number;
  readonly seed: number;
  readonly phrasing: Phrasing;
  readonly out?: string;
  readonly json?: boolean;
}

export function stressCommand(exit: Exit): Command {
  return withConfigOptions(new Command('stress'))
    .description(
      'let many callers call at once: who reached their goal, how long they waited, what gives way first',
    )
    .addOption(
      new Option('--mode <mode>', 'conversations, an echo (media alone), or short calls one after another')
        .choices(['conversation', 'echo', 'consecutive'])
        .default('conversation'),
    )
    .option(
      '--calls <n>',
      `calls in all (default: ${DEFAULT_CALLS}, or as many as fit into --duration)`,
      wholeNumber(1),
    )
    .option(
      '--concurrent <n>',
      'calls at once, at the most (default: 4; echo: 50; consecutive: 1)',
      wholeNumber(1),
    )
    .option('--rate <n>', 'calls begun in a second, at the most (default: 2; echo: 20)', positive)
    .option('--ramp <s>', 'time in which --concurrent calls come up, instead of --rate', positive)
    .option('--duration <s>', 'no call begins later than this after all are up', positive)
    .option(
      '--call-length <s>',
      'length of an echo call (default: all last until --duration is over)',
      positive,
    )
    .option('--seed <n>', 'of the first caller; the next ones count up', wholeNumber(0), 1)
    .option('--target <uri>', 'a SIP address (default: a runtime of its own on loopback)')
    .addOption(phrasingOption())
    .option('--find-capacity', 'search for the largest number of calls at once that holds --slo')
    .option('--slo <list>', 'what the search holds, such as p95=1500,goals=0.9 (ms; echo: round trip)')
    .option(
      '--most <n>',
      'calls at once that the search does not exceed (default: 128; echo: 1000)',
      wholeNumber(1),
    )
    .option(
      '--limit <s>',
      `the search begins no step later than this (default: ${DEFAULT_LIMIT_S})`,
      positive,
    )
    .option('--out <dir>', 'write the result, its page, and what each call that missed its goal sounded like')
    .option('--store <file>', 'the runtime started here keeps its calls and turns in this database')
    .option('--json', 'print one JSON document')
    .addCommand(stressCompareCommand())
    .action(async (options: StressOptions) => exit(await run(options)));
}

async function run(options: StressOptions): Promise<number> {
  const objective = parseObjective(options.slo ?? DEFAULT_SLO[options.mode]);
  refuseConflicts(options);
  const wanted = await runOptionsOf(options);
  const output = options.out === undefined ? null : StressOutput.open(options.out);
  const runOptions: RunOptions = { ...wanted, onCall: (...call) => output?.add(...call) };
  const report =
    options.findCapacity === true
      ? await findCapacity(runOptions, options, objective)
      : await runLoad(runOptions, loadOf(options));
  if (options.json === true) console.log(JSON.stringify(report, null, 2));
  else printReport(report);
  output?.finish(report);
  return report.ok ? EXIT_OK : EXIT_BAD_RESULT;
}

async function runOptionsOf(options: StressOptions): Promise<Omit<RunOptions, 'onCall'>> {
  const { mode, target, phrasing, seed } = options;
  const isEcho = mode === 'echo';
  if (target !== undefined) await localAddressFor(target); // before any model is loaded
  const config = configOf(options);
  const load = target === undefined ? loadBothPacks : loadCallerPack;
  const pack = isEcho ? null : await load(config);
  return {
    mode,
    targetUri: target ?? null,
    settings: target === undefined ? runtimeSettings(options) : [],
    callers: pack === null ? null : { pack, grammar: packGrammarOf(pack) },
    phrasing,
    seed,
  };
}

function runtimeSettings(options: StressOptions): string[] {
  const config = configOf(options);
  const most = options.findCapacity === true ? mostOf(options) : concurrentOf(options);
  return [
    ...loopbackSettings(config, options.store),
    `limits.maxCalls=${Math.max(config.limits.maxCalls, most)}`,
    ...['web.enabled=true', `web.bindAddress=${LOOPBACK}`, 'web.port=0'],
    ...(options.mode === 'echo' ? ['agent.mode=echo'] : []),
  ];
}

// ---- one run ------------------------------------------------------------------------------------------------

function loadOf(options: StressOptions): Load {
  const concurrent = concurrentOf(options);
  const callsPerS =
    options.ramp === undefined
      ? (options.rate ?? DEFAULT_CALLS_PER_S[options.mode])
      : concurrent / options.ramp;
  const rampMs = (1000 * (concurrent - 1)) / callsPerS;
  if (options.mode === 'echo') return echoLoadOf(options, { concurrent, callsPerS, rampMs });
  const holdMs = options.duration === undefined ? undefined : options.duration * 1000;
  const calls = options.calls ?? (holdMs === undefined ? DEFAULT_CALLS : Number.POSITIVE_INFINITY);
  const beginWithinMs = holdMs === undefined ? undefined : rampMs + holdMs;
  return { calls, concurrent, callsPerS, beginWithinMs, callLengthMs: 0 };
}

/** Without --call-length each call lasts until all others have come up and held: the load then goes as it came. */
function echoLoadOf(
  { calls, duration = DEFAULT_ECHO_HOLD_S, callLength }: StressOptions,
  { concurrent, callsPerS, rampMs }: { concurrent: number; callsPerS: number; rampMs: number },
): Load {
  const holdMs = duration * 1000;
  if (callLength === undefined) {
    return { calls: calls ?? concurrent, concurrent, callsPerS, callLengthMs: rampMs + holdMs };
  }
  const fitting = Math.ceil(((rampMs + holdMs) / 1000) * callsPerS) + concurrent;
  const beginWithinMs = rampMs + holdMs;
  return { calls: calls ?? fitting, concurrent, callsPerS, beginWithinMs, callLengthMs: callLength * 1000 };
}

function concurrentOf({ mode, concurrent }: StressOptions): number {
  return concurrent ?? DEFAULT_CONCURRENT[mode];
}

function mostOf({ mode, most }: StressOptions): number {
  return most ?? DEFAULT_MOST[mode];
}

// ---- the search ---------------------------------------------------------------------------------------------

/**
 * The report of the largest load that held, with the search; that of the smallest when none did. Each step has a runtime
 * and callers' models of its own, and callers of its own: what was said in a step before would be known, and need not be
 * made again.
 */
async function findCapacity(
  runOptions: RunOptions,
  options: StressOptions,
  objective: Objective,
): Promise<StressReport> {
  const reports = new Map<number, StressReport>();
  let { seed } = runOptions;
  const capacity = await searchCapacity({
    objective,
    from: concurrentOf(options),
    most: mostOf(options),
    limitMs: (options.limit ?? DEFAULT_LIMIT_S) * 1000,
    nowMs: monotonicMs,
    run: async (concurrent) => {
      console.error(`wildfire: ${concurrent} calls at once ...`);
      const report = await runLoad({ ...runOptions, seed }, stepLoad(options.mode, concurrent));
      seed += report.callsOffered;
      reports.set(concurrent, report);
      return report;
    },
    onStep: printStep,
  });
  const smallest = Math.min(...reports.keys());
  const report = reports.get(capacity.calls) ?? reports.get(smallest);
  if (report === undefined)
    throw new WildfireError('USAGE_INVALID', '--limit leaves no time for a single step');
  return { ...report, ok: capacity.calls > 0 && !capacity.steps.some(hasLeaked), capacity };
}

/** Conversations that end in the hold are followed by others, so that as many stay up; an echo call lasts until it is over. */
function stepLoad(mode: StressMode, concurrent: number): Load {
  const callsPerS = Math.max(DEFAULT_CALLS_PER_S[mode], concurrent / STEP_RAMP_S);
  const untilMs = (1000 * concurrent) / callsPerS + STEP_HOLD_MS[mode];
  if (mode === 'echo') return { calls: concurrent, concurrent, callsPerS, callLengthMs: untilMs };
  const calls = Number.POSITIVE_INFINITY;
  const maxCallMs = STEP_CALL_LIMIT_MS;
  return { calls, concurrent, callsPerS, beginWithinMs: untilMs, callLengthMs: 0, maxCallMs };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}
