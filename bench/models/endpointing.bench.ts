/**
 * models.endpointing.*: how often callers who pause are cut off, and how long one who has finished waits. The set is
 * models/evaluation/turns, the judges are the energy VAD and the turn policy with its default numbers.
 * Run: node bench/main.ts models/endpointing [--limit CLIPS]
 */
import { DEFAULT_TURN_CONFIG, type TurnConfig } from '../../src/turn/turn-config.ts';
import { type BenchOptions, type BenchResult, type BenchRow, figure, quantiles } from '../bench-row.ts';
import { readTurnClips, type TurnClip } from './turn-clips.ts';
import { type AgentTimes, type PlayedTurn, playTurn } from './turn-play.ts';

/** A quick machine: the hardest case, since a slow one has not answered yet when the caller goes on. */
const AGENT: AgentTimes = { transcriptAfterMs: 60, replyAfterMs: 200 };
/** Pauses are reported in steps of this. */
const STEP_MS = 100;

interface JudgedTurn {
  readonly clip: TurnClip;
  readonly played: PlayedTurn;
}

export async function benchRows({ limit }: BenchOptions): Promise<BenchResult> {
  return { rows: await measureEndpointing(limit ?? undefined) };
}

/** @param limit at most so many clips @throws WildfireError MODEL_MISSING or MODEL_DAMAGED without the set */
export async function measureEndpointing(
  limit?: number,
  config: TurnConfig = DEFAULT_TURN_CONFIG,
): Promise<BenchRow[]> {
  const turns: JudgedTurn[] = [];
  for (const clip of readTurnClips().slice(0, limit)) {
    turns.push({ clip, played: await playTurn(clip.samples, config, AGENT) });
  }
  const details = { clips: turns.length, ...AGENT, vad: 'energy', ...config.endpointing };
  const over = turns.filter(({ clip, played }) => endDelayMs(clip, played) !== null);
  return [
    figure('models.endpointing.earlyCuts', 'fraction', shareOf(turns, isDecidedEarly), {
      ...details,
      byKind: sharesBy(turns, ({ clip }) => clip.kind, isDecidedEarly),
      byPauseMs: pausesCut(turns, 'decidedAtMs'),
    }),
    figure('models.endpointing.interruptions', 'fraction', shareOf(turns, isInterrupted), {
      ...details,
      byKind: sharesBy(turns, ({ clip }) => clip.kind, isInterrupted),
      byPauseMs: pausesCut(turns, 'repliedAtMs'),
    }),
    figure('models.endpointing.unfinished', 'fraction', 1 - over.length / turns.length, details),
    quantiles(
      'models.endpointing.delay',
      'ms',
      over.map(({ clip, played }) => endDelayMs(clip, played) as number),
      { ...details, byNoise: delaysByNoise(over) },
    ),
  ];
}

/** The policy took the turn for over while the caller was only pausing; it may still have taken that back. */
function isDecidedEarly({ clip, played }: JudgedTurn): boolean {
  return played.decidedAtMs.some((atMs) => atMs < clip.turnEndMs);
}

/** The agent was heard before the caller had finished. */
function isInterrupted({ clip, played }: JudgedTurn): boolean {
  return played.repliedAtMs.some((atMs) => atMs < clip.turnEndMs);
}

/** From the true end of the turn to the decision; null when there was none after it. */
function endDelayMs(clip: TurnClip, played: PlayedTurn): number | null {
  const last = played.decidedAtMs.at(-1);
  return last === undefined || last < clip.turnEndMs ? null : last - clip.turnEndMs;
}

function shareOf(turns: readonly JudgedTurn[], is: (turn: JudgedTurn) => boolean): number {
  return turns.filter(is).length / turns.length;
}

function sharesBy(
  turns: readonly JudgedTurn[],
  keyOf: (turn: JudgedTurn) => string,
  is: (turn: JudgedTurn) => boolean,
): Record<string, string> {
  const groups = Map.groupBy(turns, keyOf);
  return Object.fromEntries([...groups].map(([key, all]) => [key, `${all.filter(is).length}/${all.length}`]));
}

/** Pauses by length: in how many something happened before the caller went on. */
function pausesCut(turns: readonly JudgedTurn[], what: keyof PlayedTurn): Record<string, string> {
  const pauses = turns.flatMap(({ clip, played }) =>
    clip.pauses.map(({ startMs, endMs }) => ({
      stepMs: Math.round((endMs - startMs) / STEP_MS) * STEP_MS,
      isCut: played[what].some((atMs) => atMs > startMs && atMs <= endMs),
    })),
  );
  const groups = [...Map.groupBy(pauses, ({ stepMs }) => stepMs)].toSorted(([a], [b]) => a - b);
  return Object.fromEntries(
    groups.map(([stepMs, all]) => [stepMs, `${all.filter(({ isCut }) => isCut).length}/${all.length}`]),
  );
}

function delaysByNoise(turns: readonly JudgedTurn[]): Record<string, number> {
  const groups = Map.groupBy(turns, ({ clip }) => (clip.snrDb === null ? 'silentLine' : 'noisyLine'));
  return Object.fromEntries(
    [...groups].map(([line, all]) => {
      const delays = all.map(({ clip, played }) => endDelayMs(clip, played) as number);
      return [line, quantiles('', 'ms', delays).p50];
    }),
  );
}
