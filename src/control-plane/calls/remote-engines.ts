/**
 * The engines of our own calls where they run elsewhere, in the shape that calls know: an utterance becomes a frame,
 * a question a text, a reply the audio or text that comes back. Thread: main.
 *
 * What the reply says is known only where its text passes through this process; an ellipsis stands for words that do not.
 */
import type {
  Engines,
  GenerateOutcome,
  GenerateRequest,
  LanguageModel,
  SpeechToText,
  TextToSpeech,
} from '../../call/ports.ts';
import { WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { CancelWord, Spoken, Transcript } from '../../workers/protocol.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import type { ControlSettings } from '../control-context.ts';
import type { Routes } from '../routes.ts';
import type { RemoteSentence, RemoteVoice } from './remote-voice.ts';
import type { WireCall } from './wire-call.ts';

/** Stands for words that are spoken elsewhere and not known here. */
export const UNKNOWN_WORDS = '…';
/** A language model elsewhere greets at once, or not at all. */
const GREETING_WAIT_MS = 3_000;

export interface RemoteParts {
  readonly settings: ControlSettings;
  readonly routes: Routes;
  readonly audio: WireAudioClient;
  /** The call with this number. @throws WildfireError INVALID_STATE when it has no ports */
  readonly callOf: (callId: number) => WireCall;
  /** The engines that are here. */
  readonly local: Partial<Engines>;
}

/** The engines of calls: those that are here, and stand-ins for the others. */
export function enginesFor(parts: RemoteParts): Engines {
  const { local } = parts;
  return {
    whisper: local.whisper ?? new RemoteWhisper(parts),
    llama: local.llama ?? new RemoteLlama(parts),
    tts: local.tts ?? new RemoteTts(parts),
  };
}

type TranscribeTask = Parameters<SpeechToText['transcribe']>[0];
type SpeakTask = Parameters<TextToSpeech['speak']>[0];

class RemoteWhisper implements SpeechToText {
  readonly #parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
  }

  async transcribe(task: TranscribeTask): ReturnType<SpeechToText['transcribe']> {
    const { audio, callOf, settings } = this.#parts;
    const call = callOf(task.callId);
    const startedAtMs = monotonicMs();
    const speech = await audio.encodeSpeech(task.uplink, task);
    if (speech === null) return { kind: 'lapped' };
    if (isCancelled(task)) return { kind: 'cancelled' };
    const question = this.#hasLlama ? 0 : call.expect();
    call.transcripts.clear();
    call.inbound?.send(speech);
    const heard = await call.transcripts.next(settings.transcriptTimeoutMs);
    if (heard !== null && heard.trim() !== '' && !this.#hasLlama) call.onUnderstood();
    const isAnswered = heard === null && !this.#hasLlama && call.isAnsweredSince(startedAtMs);
    const text = isAnswered ? UNKNOWN_WORDS : (heard ?? '').trim();
    if (heard === null && !isAnswered) call.inbound?.giveUpSilent(startedAtMs);
    if (isCancelled(task) || text === '') call.settle(question);
    if (isCancelled(task)) return { kind: 'cancelled' };
    return transcriptOf(text, {
      audioMs: speech.length / 64,
      computeMs: monotonicMs() - startedAtMs,
    });
  }

  get #hasLlama(): boolean {
    return this.#parts.local.llama !== undefined;
  }
}

class RemoteLlama implements LanguageModel {
  readonly #parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
  }

  async generate(request: GenerateRequest, onText: (text: string) => void): Promise<GenerateOutcome> {
    // Nothing on the wire asks for the rest of a reply.
    if (request.replyPrefix !== '') return outcomeOf('stop', monotonicMs());
    const call = this.#parts.callOf(request.callId);
    // By way of a Whisper elsewhere speech is asked already; keys have nothing to do with it and go by a link of our own.
    const isAsked = !this.#parts.routes.ownLlamaLink && call.isAsked;
    const question = isAsked ? call.question : call.ask();
    if (!isAsked) call.askLlama(request.messages.at(-1)?.text ?? '');
    const startedAtMs = monotonicMs();
    const isFound =
      call.voice === null
        ? await this.#takeTexts(call, request, onText)
        : await this.#awaitAudio(call, onText);
    call.settle(question);
    if (isCancelled(request)) return outcomeOf('cancelled', startedAtMs);
    if (isFound) return outcomeOf('stop', startedAtMs);
    if (!isAsked) call.renewLink('llama');
    throw new WildfireError('INFERENCE_FAILED', 'no reply came from the LLaMA elsewhere', {
      retryable: true,
    });
  }

  async closeConversation(): Promise<void> {
    // Its end is told by the BYE of the link, or by Whisper.
  }

  async #awaitAudio(call: WireCall, onText: (text: string) => void): Promise<boolean> {
    const isAudible = (await call.voice?.whenAudible(this.#parts.settings.replyTimeoutMs)) ?? false;
    if (isAudible) onText(UNKNOWN_WORDS);
    return isAudible;
  }

  /** The text of a reply comes in one frame, or sentence by sentence: it is over when none follows for a while. */
  async #takeTexts(
    call: WireCall,
    request: GenerateRequest,
    onText: (text: string) => void,
  ): Promise<boolean> {
    const { replyTimeoutMs, replyGapMs } = this.#parts.settings;
    let text = await call.replies.next(replyTimeoutMs);
    const isFound = text !== null;
    for (; text !== null && !isCancelled(request); text = await call.replies.next(replyGapMs)) {
      onText(`${text}\n`);
    }
    return isFound;
  }
}

class RemoteTts implements TextToSpeech {
  readonly #parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
  }

  async speak(task: SpeakTask): Promise<Spoken> {
    const { callOf, settings, routes } = this.#parts;
    const call = callOf(task.callId);
    const { voice } = call;
    if (voice === null) throw new WildfireError('INVALID_STATE', 'this call has no voice elsewhere');
    const sentence = { ...task, text: task.sentence, firstAudioMs: settings.replyTimeoutMs };
    if (routes.ownTtsLink) {
      call.ask();
      call.speakElsewhere(task.sentence);
      return voice.speak(sentence).catch((error: unknown) => {
        call.renewLink('tts');
        throw error;
      });
    }
    if (task.sentence !== UNKNOWN_WORDS) return voice.speakSilence(sentence); // nobody here can say it
    if (voice.isAudible) return voice.speak(sentence);
    return awaitGreeting(voice, sentence);
  }
}

/** Nothing was asked: the language model elsewhere may greet. */
async function awaitGreeting(voice: RemoteVoice, sentence: RemoteSentence): Promise<Spoken> {
  voice.ask();
  const isAudible = await voice.whenAudible(GREETING_WAIT_MS);
  if (isCancelled(sentence)) return voice.nothingSpoken();
  return isAudible ? voice.speak(sentence) : voice.speakSilence(sentence);
}

function isCancelled({ cancel, turnId }: { readonly cancel: CancelWord; readonly turnId: number }): boolean {
  return Atomics.load(cancel, 0) >= turnId;
}

function outcomeOf(reason: GenerateOutcome['reason'], startedAtMs: number): GenerateOutcome {
  return { reason, queueMs: 0, firstTokenMs: monotonicMs() - startedAtMs };
}

function transcriptOf(text: string, times: { audioMs: number; computeMs: number }): Transcript {
  return {
    kind: 'transcript',
    text,
    rejectedBy: text === '' ? 'noSpeech' : 'none',
    noSpeechProbability: text === '' ? 1 : 0,
    meanLogProbability: 0,
    tokens: 0,
    queueMs: 0,
    ...times,
  };
}
