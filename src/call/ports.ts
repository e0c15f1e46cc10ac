/**
 * What a call needs from the rest of the process, as narrow interfaces: the clients of media, VAD and engines fit
 * them, and so do the fakes of the tests. Thread: main.
 */

import type { OpenLeg, StartLeg } from '../media/media-protocol.ts';
import type { TapeHandle } from '../ring-buffers/layout.ts';
import type {
  Cancelled,
  CancelWord,
  ChatMessage,
  Lapped,
  SpeakTask,
  Spoken,
  TranscribeTask,
  Transcript,
} from '../workers/protocol.ts';
import type { CallAudio } from './call-audio.ts';
import type { RtpReport } from './reports.ts';

export interface SpeechToText {
  transcribe(task: Omit<TranscribeTask, 'kind' | 'queuedAtMs'>): Promise<Transcript | Cancelled | Lapped>;
}

export interface GenerateRequest {
  readonly callId: number;
  readonly turnId: number;
  readonly messages: readonly ChatMessage[];
  /** How the reply begins, when it is to go on behind that; else empty. */
  readonly replyPrefix: string;
  readonly cancel: CancelWord;
}

export interface GenerateOutcome {
  readonly reason: 'stop' | 'maxTokens' | 'cancelled';
  readonly queueMs: number;
  readonly firstTokenMs: number;
}

export interface LanguageModel {
  generate(request: GenerateRequest, onText: (text: string) => void): Promise<GenerateOutcome>;
  closeConversation(callId: number): Promise<void>;
}

export interface TextToSpeech {
  speak(task: Omit<SpeakTask, 'kind' | 'queuedAtMs'>): Promise<Spoken>;
}

export interface MediaPort {
  openLeg(open: OpenLeg): Promise<{ rtpPort: number }>;
  startLeg(start: StartLeg): Promise<void>;
  closeLeg(callId: number): Promise<RtpReport>;
}

/** The call's place in the control plane: ports and links for the roles that run elsewhere. */
export interface WirePort {
  open(callId: number, audio: CallAudio): Promise<void>;
  close(callId: number): Promise<void>;
}

export interface VadPort {
  /** Resolves when calls can be watched. */
  running(): Promise<void>;
  watch(callId: number, uplink: TapeHandle): Promise<void>;
  unwatch(callId: number): Promise<void>;
}

export interface Engines {
  readonly whisper: SpeechToText;
  readonly llama: LanguageModel;
  readonly tts: TextToSpeech;
}
