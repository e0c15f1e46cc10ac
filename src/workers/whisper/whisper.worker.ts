/**
 * A Whisper thread: loads the model at start, then takes one task at a time from the pool.
 * Thread: whisper worker. Samples come from the tape, never by message, except for `transcribeSamples`.
 * Walk: turn step 4.
 */
import { workerData } from 'node:worker_threads';
import { toWireError, WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { TapeReader } from '../../ring-buffers/tape.ts';
import { IdleWatch } from '../idle-collector.ts';
import type { Failed, TranscribeResult, TranscribeTask } from '../protocol.ts';
import { meetOtherThreads } from '../warm-up.ts';
import { WHISPER_RATE_HZ } from './features/log-mel.ts';
import { Transcriber } from './transcriber.ts';
import type {
  TranscribeSamplesTask,
  WhisperDescription,
  WhisperFault,
  WhisperResult,
  WhisperThreadTask,
  WhisperWorkerData,
} from './whisper-task.ts';

const settings = workerData as WhisperWorkerData;
const transcriber = await Transcriber.load(settings);
const idle = new IdleWatch();

/** Runs what the pool hands over. Never throws for a transcription: what went wrong is a `failed` result. */
export function runTask(task: WhisperThreadTask): Promise<WhisperResult | undefined> {
  return idle.during(() => run(task));
}

async function run(task: WhisperThreadTask): Promise<WhisperResult | undefined> {
  switch (task.kind) {
    case 'warmUp':
      await transcriber.warmUp();
      await meetOtherThreads(task);
      return undefined;
    case 'describe':
      return describe();
    case 'transcribe':
      return failuresAsResults(() => transcribeFromTape(task, task.fault));
    case 'transcribeSamples':
      return failuresAsResults(() => transcribeSamples(task, task.fault));
  }
}

async function transcribeFromTape(task: TranscribeTask, fault?: WhisperFault): Promise<TranscribeResult> {
  const takenAtMs = monotonicMs();
  const isCancelled = () => Atomics.load(task.cancel, 0) >= task.turnId;
  if (isCancelled()) return { kind: 'cancelled' };
  const reader = new TapeReader(task.uplink);
  const samples = readUtterance(reader, task);
  if (samples === 'lapped') return { kind: 'lapped' };
  return transcribe({
    samples,
    rateHz: reader.rateHz,
    queuedAtMs: task.queuedAtMs,
    takenAtMs,
    isCancelled,
    fault,
  });
}

/** @throws WildfireError INVALID_STATE when the utterance is not yet on the tape. */
function readUtterance(reader: TapeReader, task: TranscribeTask): Int16Array | 'lapped' {
  const lengthSamples = (task.toSample - task.fromSample) >>> 0;
  if (lengthSamples > reader.capacitySamples) return 'lapped';
  const samples = new Int16Array(lengthSamples);
  const outcome = reader.read(task.fromSample, samples);
  if (outcome === 'lapped') return 'lapped';
  if (outcome === 'ok') return samples;
  throw new WildfireError('INVALID_STATE', 'the utterance ends after the newest sample on the tape');
}

function transcribeSamples(task: TranscribeSamplesTask, fault?: WhisperFault): Promise<TranscribeResult> {
  const { samples, rateHz, queuedAtMs } = task;
  return transcribe({
    samples,
    rateHz,
    queuedAtMs,
    takenAtMs: monotonicMs(),
    isCancelled: () => false,
    fault,
  });
}

interface Utterance {
  readonly samples: Int16Array;
  readonly rateHz: number;
  readonly queuedAtMs: number;
  readonly takenAtMs: number;
  readonly isCancelled: () => boolean;
  readonly fault: WhisperFault | undefined;
}

async function transcribe(utterance: Utterance): Promise<TranscribeResult> {
  const { samples, rateHz, queuedAtMs, takenAtMs, fault } = utterance;
  // Asked between model runs, never inside one: a thread that ends inside native code takes the process along.
  const isCancelled = () => {
    if (fault !== undefined) exitIfTold(fault);
    return utterance.isCancelled();
  };
  const heard = await transcriber.transcribe(samples, rateHz, isCancelled);
  if (heard === null) return { kind: 'cancelled' };
  const computeMs = monotonicMs() - takenAtMs;
  return { kind: 'transcript', ...heard, queueMs: takenAtMs - queuedAtMs, computeMs };
}

function exitIfTold(fault: WhisperFault): void {
  if (settings.allowFaults && Atomics.sub(fault.exitsLeft, 0, 1) > 0) process.exit(70);
}

async function failuresAsResults(run: () => Promise<TranscribeResult>): Promise<TranscribeResult | Failed> {
  try {
    return await run();
  } catch (error) {
    return { kind: 'failed', error: toWireError(error, 'INFERENCE_FAILED') };
  }
}

function describe(): WhisperDescription {
  const { config, model, trimsWindow } = transcriber;
  return {
    kind: 'described',
    provider: model.provider,
    providerNote: model.providerNote,
    melBins: config.melBins,
    windowMs: (config.windowSamples * 1000) / WHISPER_RATE_HZ,
    vocabularyTokens: config.vocabularyTokens,
    trimsWindow,
    knowsNoSpeech: config.noSpeechToken !== null,
  };
}
