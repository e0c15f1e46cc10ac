/** Engines that say what a test wrote down, when the test wants, and keep what they were asked. */
import type {
  Engines,
  GenerateOutcome,
  GenerateRequest,
  LanguageModel,
  SpeechToText,
  TextToSpeech,
} from '../../src/call/ports.ts';
import { RingWriter } from '../../src/ring-buffers/ring.ts';
import type { Cancelled, ChatMessage, Lapped, Spoken, Transcript } from '../../src/workers/protocol.ts';
import type { Gate } from './gate.ts';

export const STT_QUEUE_MS = 3;
export const STT_COMPUTE_MS = 40;
export const LLM_QUEUE_MS = 2;
export const LLM_FIRST_TOKEN_MS = 30;
/** Between two pieces of text. */
export const MS_PER_PIECE = 5;
export const TTS_QUEUE_MS = 1;
export const TTS_FIRST_AUDIO_MS = 20;
/** How long a character is spoken. */
export const MS_PER_CHARACTER = 40;

type TranscribeTask = Parameters<SpeechToText['transcribe']>[0];
type SpeakTask = Parameters<TextToSpeech['speak']>[0];
/** Text at once, a failure, or whatever the gate settles with. */
type Script = string | Error | Gate<string>;

export class FakeWhisper implements SpeechToText {
  /** Whether an answer takes as long as it says. */
  takesTime = false;
  /** One entry per window, in order; 'hello' when there is none left. */
  readonly script: Script[] = [];
  readonly tasks: TranscribeTask[] = [];

  async transcribe(task: TranscribeTask): Promise<Transcript | Cancelled | Lapped> {
    this.tasks.push(task);
    const text = await settled(this.script.shift() ?? 'hello');
    if (this.takesTime) await delay(STT_QUEUE_MS + STT_COMPUTE_MS);
    if (isCancelled(task)) return { kind: 'cancelled' };
    return {
      kind: 'transcript',
      text,
      rejectedBy: text === '' ? 'noSpeech' : 'none',
      noSpeechProbability: 0,
      meanLogProbability: -0.1,
      tokens: 4,
      audioMs: 1000,
      queueMs: STT_QUEUE_MS,
      computeMs: STT_COMPUTE_MS,
    };
  }
}

export class FakeLlama implements LanguageModel {
  takesTime = false;
  /** One entry per reply, each a list of pieces of text; ['Fine.'] when there is none left. */
  readonly script: (readonly Script[])[] = [];
  /** What each request asked, as it was at that moment. */
  readonly asked: ChatMessage[][] = [];
  /** What each reply was to go on behind. */
  readonly prefixes: string[] = [];
  readonly openConversations = new Set<number>();

  async generate(request: GenerateRequest, onText: (text: string) => void): Promise<GenerateOutcome> {
    this.asked.push(request.messages.map((message) => ({ ...message })));
    this.prefixes.push(request.replyPrefix);
    this.openConversations.add(request.callId);
    if (this.takesTime) await delay(LLM_QUEUE_MS + LLM_FIRST_TOKEN_MS);
    for (const piece of this.script.shift() ?? ['Fine.']) {
      const text = await settled(piece);
      if (isCancelled(request)) return outcome('cancelled');
      onText(text);
      if (this.takesTime) await delay(MS_PER_PIECE);
    }
    return outcome('stop');
  }

  async closeConversation(callId: number): Promise<void> {
    this.openConversations.delete(callId);
  }
}

/** Speaks each sentence as a constant: the n-th sentence it is given is the sample value n. */
export class FakeTts implements TextToSpeech {
  takesTime = false;
  readonly sentences: string[] = [];
  readonly turnIds: number[] = [];
  /** What the next sentences wait for, in order; null answers at once. */
  readonly script: (Gate<string> | Error | null)[] = [];

  async speak(task: SpeakTask): Promise<Spoken> {
    this.sentences.push(task.sentence.trim());
    this.turnIds.push(task.turnId);
    const value = this.sentences.length;
    await settled(this.script.shift() ?? '');
    if (this.takesTime) await delay(TTS_QUEUE_MS + TTS_FIRST_AUDIO_MS);
    const writer = new RingWriter(task.downlink, task.epoch);
    const startIndex = writer.writeIndex;
    if (isCancelled(task) || writer.isFlushed) return spoken('cancelled', startIndex, startIndex);
    const samples = new Int16Array(Math.round(task.sentence.trim().length * MS_PER_CHARACTER * 8)).fill(
      value,
    );
    const taken = writer.write(samples);
    return spoken(taken < samples.length ? 'cancelled' : 'spoken', startIndex, startIndex + taken);
  }
}

export interface FakeEngines extends Engines {
  readonly whisper: FakeWhisper;
  readonly llama: FakeLlama;
  readonly tts: FakeTts;
}

export function fakeEngines(): FakeEngines {
  return { whisper: new FakeWhisper(), llama: new FakeLlama(), tts: new FakeTts() };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function settled(script: Script): Promise<string> {
  if (script instanceof Error) throw script;
  return typeof script === 'string' ? script : script.promise;
}

function isCancelled({ turnId, cancel }: { turnId: number; cancel: Int32Array<SharedArrayBuffer> }): boolean {
  return Atomics.load(cancel, 0) >= turnId;
}

function outcome(reason: GenerateOutcome['reason']): GenerateOutcome {
  return { reason, queueMs: LLM_QUEUE_MS, firstTokenMs: LLM_FIRST_TOKEN_MS };
}

function spoken(kind: Spoken['kind'], startIndex: number, endIndex: number): Spoken {
  return {
    kind,
    startIndex,
    endIndex,
    queueMs: TTS_QUEUE_MS,
    firstAudioMs: TTS_FIRST_AUDIO_MS,
    leadInMs: 0,
    computeMs: TTS_FIRST_AUDIO_MS,
    audioMs: (endIndex - startIndex) / 8,
  };
}
