/**
 * Which column holds which field of a turn: the one list that writing and reading share. The compiler compares it with
 * the report: a field that is new there has to get a column here and a step in migrations.ts. Pure.
 */
import type { StagesMs } from '../call/reports.ts';
import type { KeptTurn } from './store-messages.ts';

/** callId and sipCallId are the call's. */
type PlainField = Exclude<keyof KeptTurn, 'callId' | 'sipCallId' | 'stagesMs'>;

export const TURN_COLUMNS = {
  turnId: 'turn_id',
  input: 'input',
  heard: 'heard',
  confidence: 'confidence',
  rejectedBy: 'rejected_by',
  reply: 'reply',
  outcome: 'outcome',
  decidedAtMs: 'decided_at_ms',
  speechEndTimestamp: 'speech_end_timestamp',
  decisionToVoiceMs: 'decision_to_voice_ms',
  voiceToVoiceMs: 'voice_to_voice_ms',
  bargeIn: 'barge_in',
  bargeInDecidedAtMs: 'barge_in_decided_at_ms',
  bargeInToSilenceMs: 'barge_in_to_silence_ms',
} as const satisfies Record<PlainField, string>;

/** Queue and compute of each stage apart, as in every report. */
export const STAGE_COLUMNS = {
  uplink: 'uplink_ms',
  endpoint: 'endpoint_ms',
  endpointQueue: 'endpoint_queue_ms',
  sttQueue: 'stt_queue_ms',
  stt: 'stt_ms',
  llmQueue: 'llm_queue_ms',
  llmFirstToken: 'llm_first_token_ms',
  firstSentence: 'first_sentence_ms',
  ttsQueue: 'tts_queue_ms',
  ttsFirstAudio: 'tts_first_audio_ms',
  playout: 'playout_ms',
  handover: 'handover_ms',
  leadIn: 'lead_in_ms',
} as const satisfies Record<keyof StagesMs, string>;

export const TURN_FIELDS = Object.keys(TURN_COLUMNS) as (keyof typeof TURN_COLUMNS)[];
export const STAGES = Object.keys(STAGE_COLUMNS) as (keyof StagesMs)[];
