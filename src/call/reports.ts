/** What the runtime tells about turns and calls: plain data for the store, --json, IPC, metrics and tests. Pure types. */
import type { Transcript } from '../workers/protocol.ts';
import type { LedgerCounts } from './ledger.ts';

/** Where the time of one turn went, ms. Queue and compute stand apart. */
export interface StagesMs {
  /** Arrival of the last packet with speech to its place on the tape: what the jitter buffer held it for. */
  readonly uplink: number;
  /** Last speech sample, or last key, to the time at which the turn is over. */
  readonly endpoint: number;
  /** That time to the decision: what the VAD, timers and the main thread were late. */
  readonly endpointQueue: number;
  readonly sttQueue: number;
  readonly stt: number;
  readonly llmQueue: number;
  /** Request taken up to the first token. */
  readonly llmFirstToken: number;
  /** First token up to the first whole sentence. */
  readonly firstSentence: number;
  readonly ttsQueue: number;
  readonly ttsFirstAudio: number;
  /** First samples in the downlink ring up to the first packet that carries them. */
  readonly playout: number;
  /** Messages between threads, and waits for the main thread: what of the decision to the first packet is in no other. */
  readonly handover: number;
  /** First packet of the reply up to the first that is loud enough to hear: how the voice begins. */
  readonly leadIn: number;
}

export type TurnOutcome = 'replied' | 'bargedIn' | 'nothingHeard' | 'failed' | 'superseded' | 'hungUp';

/** One turn of a caller. `pii` fields hold what was said. */
export interface TurnReport {
  readonly callId: number;
  readonly sipCallId: string;
  readonly turnId: number;
  readonly input: 'speech' | 'dtmf' | 'none';
  /** Transcript of the caller (personal). */
  readonly heard: string;
  /** How sure the recogniser was of `heard`, or of the text that it threw away: 0..1; null for keys and silence. */
  readonly confidence: number | null;
  /** Why speech was not used as text: the caller is asked again. */
  readonly rejectedBy: Transcript['rejectedBy'];
  /** The reply, cut to the words that were played (personal). */
  readonly reply: string;
  readonly outcome: TurnOutcome;
  /** monotonicMs() of the decision that the turn was over. */
  readonly decidedAtMs: number;
  /** RTP timestamp after the last speech sample, as the VAD heard it; null without speech or reply, or when unknown. */
  readonly speechEndTimestamp: number | null;
  readonly stagesMs: StagesMs;
  /** End-of-turn decision to the first packet of the reply. */
  readonly decisionToVoiceMs: number;
  /** Last speech sample of the caller, as far as the runtime can tell, to the first packet of the reply. */
  readonly voiceToVoiceMs: number;
  readonly bargeIn: boolean;
  /** monotonicMs() of the barge-in decision; null without one. */
  readonly bargeInDecidedAtMs: number | null;
  /** Decision to the first silent frame sent. */
  readonly bargeInToSilenceMs: number | null;
}

export type EndedBy = 'caller' | 'agent' | 'error';

export interface RtpReport {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly late: number;
  readonly underrunFrames: number;
}

export interface CallReport {
  readonly callId: number;
  readonly sipCallId: string;
  readonly endedBy: EndedBy;
  /** Reason word: bye, cancel, mediaTimeout, maxDuration, noInput, drain, sipTimeout, internal ... */
  readonly reason: string;
  readonly durationMs: number;
  /** INVITE received to the first packet of the greeting, ms; 0 when there was none. */
  readonly greetingMs: number;
  readonly turns: number;
  readonly rtp: RtpReport;
  /** What the call still held after it had given everything back; all zero when nothing leaked. */
  readonly ledger: LedgerCounts;
}

/** A turn in which nothing took any time yet. */
export const NO_STAGES: StagesMs = {
  uplink: 0,
  endpoint: 0,
  endpointQueue: 0,
  sttQueue: 0,
  stt: 0,
  llmQueue: 0,
  llmFirstToken: 0,
  firstSentence: 0,
  ttsQueue: 0,
  ttsFirstAudio: 0,
  playout: 0,
  handover: 0,
  leadIn: 0,
};
