/**
 * One run of `stress`: a runtime of its own, started for it, or somebody else's address; the calls; and the report. Nothing
 * outlives a run, so that the next one finds no sentence made before. Thread: main of the calling process.
 */
import { type CallerEngines, startCallerEngines } from '../../caller/caller-engines.ts';
import type { CallerGrammar, Phrasing } from '../../caller/caller-grammar.ts';
import { type CrowdCall, type CrowdResult, runCrowd } from '../../caller/crowd.ts';
import type { PlacedCall } from '../../caller/place-call.ts';
import type { ModelPack } from '../../models/pack.ts';
import { type EchoCall, isWhole, runEchoCrowd } from '../../stress/echo/echo-crowd.ts';
import { echoReport } from '../../stress/echo-report.ts';
import {
  type OwnRuntime,
  type StressMode,
  type StressReport,
  stressReport,
} from '../../stress/stress-report.ts';
import { LOOPBACK, RuntimeProcess } from '../runtime-process.ts';
import { LoadWatch } from './load-watch.ts';
import { RunTally, StressProgress } from './stress-progress.ts';

export interface RunOptions {
  readonly mode: StressMode;
  /** Null: a runtime of its own. */
  readonly targetUri: string | null;
  /** Of the runtime of its own, `key=value`. */
  readonly settings: readonly string[];
  /** The callers' mouth, ear and words; null for an echo, which needs none. */
  readonly callers: { readonly pack: ModelPack; readonly grammar: CallerGrammar } | null;
  readonly phrasing: Phrasing;
  /** Of the first caller; the next ones count up. */
  readonly seed: number;
  /** Runs when a conversation is over. */
  readonly onCall: (call: CrowdCall, placed: PlacedCall | null, runtime: RuntimeProcess | null) => void;
}

/** The calls of a run. */
export interface Load {
  /** Calls in all; Infinity: as many as fit. */
  readonly calls: number;
  readonly concurrent: number;
  readonly callsPerS: number;
  /** No call begins later than this after the first. */
  readonly beginWithinMs?: number | undefined;
  /** Of an echo. */
  readonly callLengthMs: number;
  /** Of a conversation, at the most. */
  readonly maxCallMs?: number | undefined;
}

/**
 * Starts what a run needs, makes the calls, waits until all are over and given back. The callers' models come first: the
 * runtime's figures count from when it is ready, which is then when the run begins.
 * @throws WildfireError when the callers' models or the runtime do not start
 */
export async function runLoad(options: RunOptions, load: Load): Promise<StressReport> {
  const { callers, targetUri, settings } = options;
  const engines = callers === null ? null : await startCallerEngines(callers.pack);
  try {
    if (targetUri === null) console.error('wildfire: starting the runtime on loopback ...');
    const runtime = targetUri === null ? await RuntimeProcess.start(settings) : null;
    try {
      return await callAndWatch({ options, load, engines, runtime });
    } finally {
      await runtime?.stop();
    }
  } finally {
    await engines?.close();
  }
}

interface Run {
  readonly options: RunOptions;
  readonly load: Load;
  readonly engines: CallerEngines | null;
  /** Null when the target is somebody else's. */
  readonly runtime: RuntimeProcess | null;
}

interface RunView {
  readonly watch: LoadWatch;
  readonly tally: RunTally;
  readonly progress: StressProgress;
}

async function callAndWatch(run: Run): Promise<StressReport> {
  const tally = new RunTally();
  const watch = await LoadWatch.start(run.runtime, () => tally.ended);
  const progress = new StressProgress(process.stderr, tally, () => watch.lastSample);
  try {
    return run.options.mode === 'echo'
      ? await echo(run, { watch, tally, progress })
      : await converse(run, { watch, tally, progress });
  } finally {
    progress.close();
    await watch.finish();
  }
}

async function echo(run: Run, { watch, tally }: RunView): Promise<StressReport> {
  const { load, runtime } = run;
  const crowd = await runEchoCrowd({
    ...load,
    targetUri: targetOf(run),
    onCall: (call) => noteEcho(tally, call),
  });
  await runtime?.callsEnded(countEstablished(crowd.calls));
  const lost = runtime?.calls.reduce((sum, { rtp }) => sum + rtp.lost, 0) ?? 0;
  return echoReport(crowd, await watch.finish(), lost);
}

async function converse(run: Run, view: RunView): Promise<StressReport> {
  const { options, runtime } = run;
  const crowd = await callAll(run, view);
  const mode = options.mode === 'consecutive' ? 'consecutive' : 'conversation';
  await runtime?.callsEnded(countEstablished(crowd.calls));
  const watched = await view.watch.finish();
  return stressReport(mode, crowd, watched, runtime === null ? null : whatIsKnownOf(runtime));
}

function whatIsKnownOf({ turns, calls }: RuntimeProcess): OwnRuntime {
  return { turns, underrunFrames: calls.reduce((sum, { rtp }) => sum + rtp.underrunFrames, 0) };
}

async function callAll(run: Run, { tally, progress }: RunView): Promise<CrowdResult> {
  const { options, load, engines, runtime } = run;
  const { callers, mode, phrasing, seed, onCall } = options;
  if (callers === null || engines === null) throw new Error('conversations need callers');
  return runCrowd({
    ...callers,
    engines,
    targetUri: targetOf(run),
    seeds: seedsFrom(seed, load.calls),
    concurrent: load.concurrent,
    callsPerS: load.callsPerS,
    phrasing,
    isBrief: mode === 'consecutive',
    ...(load.beginWithinMs === undefined ? {} : { durationMs: load.beginWithinMs }),
    ...(load.maxCallMs === undefined ? {} : { maxCallMs: load.maxCallMs }),
    onStep: ({ input, voiceToVoiceMs }) => {
      if (input === 'speech' && voiceToVoiceMs !== null) tally.waitsMs.push(voiceToVoiceMs);
    },
    onCall: (call, placed) => {
      noteCall(tally, call);
      progress.line(callLine(tally.ended, call));
      onCall(call, placed, runtime);
    },
  });
}

function targetOf({ options, runtime }: Run): string {
  return options.targetUri ?? `sip:stress@${LOOPBACK}:${runtime?.sipPort}`;
}

function* seedsFrom(seed: number, calls: number): Generator<number> {
  for (let i = 0; i < calls; i++) yield seed + i;
}

function countEstablished(calls: readonly { readonly isEstablished: boolean }[]): number {
  return calls.filter(({ isEstablished }) => isEstablished).length;
}

function noteCall(tally: RunTally, { isCompleted, goalMet, rtp }: CrowdCall): void {
  tally.ended += 1;
  tally.failed += isCompleted ? 0 : 1;
  tally.goalsMet += goalMet ? 1 : 0;
  tally.lost += rtp.lost;
}

function noteEcho(tally: RunTally, { isCompleted, echo }: EchoCall): void {
  tally.ended += 1;
  tally.failed += isCompleted ? 0 : 1;
  tally.goalsMet += echo !== null && isWhole(echo) ? 1 : 0;
  tally.lost += echo?.lost ?? 0;
}

function callLine(number: number, { seed, kind, goalMet, why, steps, durationMs }: CrowdCall): string {
  const verdict = goalMet ? 'ok' : 'MISSED';
  const length = `${steps.length} turns, ${Math.round(durationMs / 1000)} s`;
  return `  call ${number} (seed ${seed}, ${kind}; ${length}) ${verdict}: ${why}`;
}
