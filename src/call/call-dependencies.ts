/** What one call and its conversation are given by the runtime. Types only. */
import type { Log } from '../observability/log.ts';
import type { RingHandle, TapeHandle } from '../ring-buffers/layout.ts';
import type { TurnConfig } from '../turn/turn-config.ts';
import type { CallAudioStore } from './call-audio.ts';
import type { Engines, MediaPort, VadPort, WirePort } from './ports.ts';
import type { CallReport, TurnReport } from './reports.ts';

/** The agent's words and voice. An empty greeting means that the caller speaks first. */
export interface AgentPersona {
  readonly systemPrompt: string;
  readonly greeting: string;
  readonly apology: string;
  readonly noInputPrompt: string;
  readonly goodbye: string;
  readonly voice: string;
  readonly speed: number;
}

/** An agent that converses, or an echo, which needs no models. */
export type CallDependencies = CallSurroundings & (ConversingAgent | EchoingAgent);

export interface ConversingAgent {
  readonly isEcho?: false;
  readonly vad: VadPort;
  /** Null where every role is in this process. */
  readonly wire: WirePort | null;
  readonly engines: Engines;
  readonly agent: AgentPersona;
  readonly turnConfig: TurnConfig;
  readonly onTurn: (turn: TurnReport) => void;
}

interface EchoingAgent {
  readonly isEcho: true;
}

export interface CallSurroundings {
  readonly audio: CallAudioStore;
  readonly media: MediaPort;
  readonly maxCallDurationMs: number;
  /** When a call that could not be taken just now may be tried again. */
  readonly retryAfterSeconds: number;
  readonly log: Log;
  /** Counts a refusal or fault by area and reason word. */
  readonly count: (area: string, reason: string) => void;
  readonly onCallEnded: (call: CallReport) => void;
  /** Gives the admission slot back; the last thing a call does. */
  readonly leave: (callId: number) => void;
}

export interface ConversationOptions {
  readonly callId: number;
  readonly sipCallId: string;
  readonly uplink: TapeHandle;
  readonly downlink: RingHandle;
  /** monotonicMs() when the INVITE came. */
  readonly invitedAtMs: number;
  readonly engines: Engines;
  readonly agent: AgentPersona;
  readonly turnConfig: TurnConfig;
  readonly log: Log;
  readonly onTurn: (turn: TurnReport) => void;
  /** The agent ends the call. */
  readonly hangUp: (reason: string) => void;
}
