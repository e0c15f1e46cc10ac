/**
 * A TTS thread: loads its engine at start, warms it up, then takes one sentence at a time from the pool.
 * Thread: TTS worker. Samples go straight into the call's downlink ring; only places and times come back.
 * A model that cannot be loaded does not kill the thread: it is told to whoever asks `describe`.
 */
import { workerData as piscinaWorkerData } from 'piscina';
import { toWireError, WildfireError, type WireError } from '../../errors.ts';
import { IdleWatch } from '../idle-collector.ts';
import type { Failed } from '../protocol.ts';
import { meetOtherThreads } from '../warm-up.ts';
import { warmPhonemizer } from './espeak-model.ts';
import { openKokoro } from './kokoro-model.ts';
import { openPiper } from './piper-model.ts';
import { SentenceSpeaker } from './sentence-speaker.ts';
import type { TtsEngine } from './tts-engine.ts';
import type {
  RenderTask,
  TtsDescription,
  TtsFault,
  TtsResult,
  TtsThreadTask,
  TtsWorkerData,
} from './tts-task.ts';

interface Loaded {
  readonly engine: TtsEngine;
  readonly speaker: SentenceSpeaker;
}

const ENGINES = { kokoro: openKokoro, piper: openPiper } as const;
/** The code of an ordinary rate; any other works as well. */
const WARM_UP_RATE_HZ = 8000;
/** What agents say, all kinds of endings: the tensors of each length are slow the first time. */
const WARM_UP_TEXTS = [
  'Hello, this is the automatic assistant. How can I help you?',
  'Your table for four is booked for Thursday at seven thirty, under the name Baker.',
  'Sorry, I did not catch that. Could you say it again?',
  'Yes, of course.',
] as const;

const settings = piscinaWorkerData as TtsWorkerData;
const idle = new IdleWatch();
let loadError: WireError | undefined;
let realTimeFactor = 1;
const loaded = await load();
await warmUp();

/** The pool calls this. Never throws for a sentence: what went wrong is a `failed` result. */
export function runTask(task: TtsThreadTask): Promise<TtsResult | undefined> {
  return idle.during(() => run(task));
}

async function run(task: TtsThreadTask): Promise<TtsResult | undefined> {
  if (task.kind === 'warmUp') {
    if (loaded !== undefined) await warmPhonemizer();
    await warmUp();
    await meetOtherThreads(task);
    return undefined;
  }
  if (loaded === undefined) return notLoaded();
  switch (task.kind) {
    case 'describe':
      return describe(loaded);
    case 'speak':
      return loaded.speaker.speak(task, () => exitIfTold(task.fault));
    case 'render':
      exitIfTold(task.fault);
      return loaded.speaker.render(task);
  }
}

async function load(): Promise<Loaded | undefined> {
  try {
    const engine = await ENGINES[settings.engine](settings);
    const speaker = new SentenceSpeaker(engine, settings);
    if (!engine.voices.includes(speaker.defaultVoice)) {
      const message = `${settings.engine} has no voice "${speaker.defaultVoice}"; it has ${engine.voices.join(', ')}`;
      throw new WildfireError('CONFIG_INVALID', message);
    }
    return { engine, speaker };
  } catch (error) {
    loadError = toWireError(error, 'MODEL_DAMAGED');
    return undefined;
  }
}

// A round when the thread starts (also one that replaces a dead one), another before the pool counts as started:
// eSpeak's code is compiled by then. The last round is the measure of speed.
async function warmUp(): Promise<void> {
  if (loaded === undefined) return;
  let [computeMs, audioMs] = [0, 0];
  for (const text of WARM_UP_TEXTS) {
    const result = await loaded.speaker.render(warmUpTask(text));
    if (result.kind === 'failed') {
      loadError = result.error;
      return;
    }
    computeMs += result.computeMs;
    audioMs += result.audioMs;
  }
  if (audioMs > 0) realTimeFactor = computeMs / audioMs;
}

function warmUpTask(text: string): RenderTask {
  return { kind: 'render', text, voice: '', speed: 1, rateHz: WARM_UP_RATE_HZ, realTimeFactor: 1 };
}

function describe({ engine, speaker }: Loaded): TtsDescription | Failed {
  if (loadError !== undefined) return notLoaded();
  return {
    kind: 'described',
    engine: settings.engine,
    modelRateHz: engine.rateHz,
    voices: engine.voices,
    voice: speaker.defaultVoice,
    realTimeFactor,
  };
}

function notLoaded(): Failed {
  const unknown: WireError = { code: 'MODEL_DAMAGED', message: 'TTS model was not loaded', retryable: false };
  return { kind: 'failed', error: loadError ?? unknown };
}

function exitIfTold(fault: TtsFault | undefined): void {
  if (fault === undefined || !settings.allowFaults) return;
  if (Atomics.sub(fault.exitsLeft, 0, 1) > 0) process.exit(70);
}
