/**
 * What `stress` loads: a runtime of its own, started for the session, or somebody else's address; and the runs against
 * it, one after another, each with its report. Thread: main of the calling process.
 */
import { type CallerEngines, startCallerEngines } from '../caller/caller-engines.ts';
import type { CallerGrammar, Phrasing } from '../caller/caller-grammar.ts';
import { type CrowdCall, type CrowdResult, runCrowd } from '../caller/crowd.ts';
import type { PlacedCall } from '../caller/place-call.ts';
import type { ModelPack } from '../models/pack.ts';
import { type EchoCall, runEchoCrowd } from '../stress/echo/echo-crowd.ts';
import { echoReport } from '../stress/echo-report.ts';
import {
  type OwnRuntime,
  type StressMode,
  type StressReport,
  stressReport,
} from '../stress/stress-report.ts';
import { LoadWatch } from './load-watch.ts';
import { LOOPBACK, RuntimeProcess } from './runtime-process.ts';
import { RunTally, StressProgress } from './stress-progress.ts';

export interface SessionOptions {
  readonly mode: StressMode;
  /** Null: a runtime of its own. */
  readonly targetUri: string | null;
  /** Of the runtime of its own, `key=value`. */
  readonly settings: readonly string[];
  /** The callers' mouth, ear and words; null for an echo, which needs none. */
  readonly callers: { readonly pack: ModelPack; readonly grammar: CallerGrammar } | null;
  readonly phrasing: Phrasing;
  /** Of the first caller of each run. */
  readonly seed: number;
  /** Runs when a conversation is over. */
  readonly onCall: (call: CrowdCall, placed: PlacedCall | null, runtime: RuntimeProcess | null) => void;
}

/** One run. */
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

export class StressSession {
  readonly #options: SessionOptions;
  readonly #runtime: RuntimeProcess | null;
  readonly #engines: CallerEngines | null;
  /** Of the next run's first caller: nobody calls twice, lest the sentences of a run be known from the run before. */
  #nextSeed: number;

  private constructor(
    options: SessionOptions,
    parts: { readonly runtime: RuntimeProcess | null; readonly engines: CallerEngines | null },
  ) {
    this.#options = options;
    this.#nextSeed = options.seed;
    this.#runtime = parts.runtime;
    this.#engines = parts.engines;
  }

  /** Loads the callers' models, too, so that no run pays for it. @throws WildfireError when either does not start */
  static async start(options: SessionOptions): Promise<StressSession> {
    const { targetUri, callers, settings } = options;
    if (targetUri === null) console.error('wildfire: starting the runtime on loopback ...');
    const runtime = targetUri === null ? await RuntimeProcess.start(settings) : null;
    try {
      const engines = callers === null ? null : await startCallerEngines(callers.pack);
      return new StressSession(options, { runtime, engines });
    } catch (error) {
      await runtime?.stop();
      throw error;
    }
  }

  /** Makes the calls and waits until all are over and given back. */
  async run(load: Load): Promise<StressReport> {
    const tally = new RunTally();
    const watch = await LoadWatch.start(this.#runtime, () => tally.ended);
    const progress = new StressProgress(process.stderr, tally, () => watch.lastSample);
    try {
      return this.#options.mode === 'echo'
        ? await this.#runEcho(load, { watch, tally, progress })
        : await this.#runConversations(load, { watch, tally, progress });
    } finally {
      progress.close();
      await watch.finish();
    }
  }

  async close(): Promise<void> {
    await this.#engines?.close();
    await this.#runtime?.stop();
  }

  get #targetUri(): string {
    return this.#options.targetUri ?? `sip:stress@${LOOPBACK}:${this.#runtime?.sipPort}`;
  }

  async #runEcho(load: Load, view: RunView): Promise<StressReport> {
    const before = this.#runtime?.calls.length ?? 0;
    const crowd = await runEchoCrowd({
      ...load,
      targetUri: this.#targetUri,
      onCall: (call) => noteEcho(view.tally, call),
    });
    await this.#runtime?.callsEnded(before + countEstablished(crowd.calls));
    const lost = this.#runtime?.calls.slice(before).reduce((sum, { rtp }) => sum + rtp.lost, 0) ?? 0;
    return echoReport(crowd, await view.watch.finish(), lost);
  }

  async #runConversations(load: Load, view: RunView): Promise<StressReport> {
    const before = { turns: this.#runtime?.turns.length ?? 0, calls: this.#runtime?.calls.length ?? 0 };
    const crowd = await this.#callAll(load, view);
    const mode = this.#options.mode === 'consecutive' ? 'consecutive' : 'conversation';
    if (this.#runtime === null) return stressReport(mode, crowd, await view.watch.finish(), null);
    await this.#runtime.callsEnded(before.calls + countEstablished(crowd.calls));
    const own: OwnRuntime = {
      turns: this.#runtime.turns.slice(before.turns),
      underrunFrames: this.#runtime.calls
        .slice(before.calls)
        .reduce((sum, { rtp }) => sum + rtp.underrunFrames, 0),
    };
    return stressReport(mode, crowd, await view.watch.finish(), own);
  }

  async #callAll(load: Load, { tally, progress }: RunView): Promise<CrowdResult> {
    const { callers, mode, phrasing, onCall } = this.#options;
    if (callers === null || this.#engines === null) throw new Error('conversations need callers');
    const firstSeed = this.#nextSeed;
    this.#nextSeed += load.calls;
    return runCrowd({
      ...callers,
      engines: this.#engines,
      targetUri: this.#targetUri,
      seeds: seedsFrom(firstSeed, load.calls),
      concurrent: load.concurrent,
      callsPerS: load.callsPerS,
      phrasing,
      isBrief: mode === 'consecutive',
      ...(load.beginWithinMs === undefined ? {} : { durationMs: load.beginWithinMs }),
      ...(load.maxCallMs === undefined ? {} : { maxCallMs: load.maxCallMs }),
      onStep: ({ voiceToVoiceMs }) => {
        if (voiceToVoiceMs !== null) tally.waitsMs.push(voiceToVoiceMs);
      },
      onCall: (call, placed) => {
        noteCall(tally, call);
        progress.line(callLine(tally.ended, call));
        onCall(call, placed, this.#runtime);
      },
    });
  }
}

interface RunView {
  readonly watch: LoadWatch;
  readonly tally: RunTally;
  readonly progress: StressProgress;
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
  tally.goalsMet += isCompleted && echo?.lost === 0 ? 1 : 0;
  tally.lost += echo?.lost ?? 0;
}

function callLine(number: number, { seed, kind, goalMet, why, steps, durationMs }: CrowdCall): string {
  const verdict = goalMet ? 'ok' : 'MISSED';
  const length = `${steps.length} turns, ${Math.round(durationMs / 1000)} s`;
  return `  call ${number} (seed ${seed}, ${kind}; ${length}) ${verdict}: ${why}`;
}
