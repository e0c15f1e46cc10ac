/**
 * Where the time of one turn went: collects the marks of a turn and makes its report. Times are monotonicMs().
 * Thread: main.
 */
import type { MediaEvent } from '../media/media-protocol.ts';
import { placeBefore } from '../media/uplink-clock.ts';
import type { Spoken, Transcript } from '../workers/protocol.ts';
import { NO_STAGES, type StagesMs, type TurnOutcome, type TurnReport } from './reports.ts';

/** A barge-in: when it was decided, and when the first silent frame went out (null until it did). */
export interface BargeInTimes {
  readonly decidedAtMs: number;
  silentAtMs: number | null;
}

/** How a turn ended. */
export interface SpeechEnd {
  /** One past the last speech sample; null when the turn was not spoken. */
  readonly endSample: number | null;
  /** Silence, or time without another key, waited for before the decision. */
  readonly endpointDelayMs: number;
}

export interface TurnTimelineStart {
  readonly callId: number;
  readonly sipCallId: string;
  readonly turnId: number;
  readonly input: TurnReport['input'];
  readonly decidedAtMs: number;
  readonly end: SpeechEnd;
  readonly bargeIn: BargeInTimes | null;
}

/** What the caller waits for between the decision and the first packet, as far as it is measured where it happens. */
const STAGES_TO_FIRST_PACKET = [
  'sttQueue',
  'stt',
  'llmQueue',
  'llmFirstToken',
  'firstSentence',
  'ttsQueue',
  'ttsFirstAudio',
  'playout',
] as const satisfies readonly (keyof StagesMs)[];

export class TurnTimeline {
  readonly #start: TurnTimelineStart;
  #stages: { -readonly [K in keyof StagesMs]: StagesMs[K] };
  #heard = '';
  #sumLogProbability = 0;
  #recognisedTokens = 0;
  #rejectedBy: Transcript['rejectedBy'] = 'none';
  #thinkingAtMs = 0;
  #isGenerated = false;
  #firstTokenAtMs: number | null = null;
  #firstSentenceAtMs: number | null = null;
  #firstAudioAtMs: number | null = null;
  #firstPacketAtMs: number | null = null;
  #speechEndTimestamp: number | null = null;

  constructor(start: TurnTimelineStart) {
    this.#start = start;
    this.#stages = { ...NO_STAGES, endpoint: start.end.endpointDelayMs };
  }

  get turnId(): number {
    return this.#start.turnId;
  }

  /** Windows of one turn are transcribed side by side: the one that was ready last counts for the time. */
  onTranscript(transcript: Transcript): void {
    const { queueMs, computeMs, rejectedBy, tokens, meanLogProbability } = transcript;
    if (rejectedBy !== 'none') this.#rejectedBy = rejectedBy;
    // The end token was judged, too.
    this.#recognisedTokens += tokens === 0 ? 0 : tokens + 1;
    this.#sumLogProbability += tokens === 0 ? 0 : meanLogProbability * (tokens + 1);
    if (queueMs + computeMs <= this.#stages.sttQueue + this.#stages.stt) return;
    this.#stages.sttQueue = queueMs;
    this.#stages.stt = computeMs;
  }

  onThinking(heard: string, atMs: number): void {
    this.#heard = heard;
    this.#thinkingAtMs = atMs;
  }

  onText(atMs: number): void {
    this.#firstTokenAtMs ??= atMs;
  }

  onGenerated(queueMs: number, firstTokenMs: number): void {
    this.#isGenerated = true;
    this.#stages.llmQueue = queueMs;
    this.#stages.llmFirstToken = firstTokenMs;
  }

  onSentence(atMs: number): void {
    this.#firstSentenceAtMs ??= atMs;
  }

  onSpoken(spoken: Spoken): void {
    if (this.#firstAudioAtMs !== null || this.#firstSentenceAtMs === null) return;
    this.#stages.ttsQueue = spoken.queueMs;
    this.#stages.ttsFirstAudio = spoken.firstAudioMs;
    this.#stages.leadIn = spoken.leadInMs;
    this.#firstAudioAtMs = this.#firstSentenceAtMs + spoken.queueMs + spoken.firstAudioMs;
  }

  onFirstPacket(event: Extract<MediaEvent, { kind: 'playoutStarted' }>): void {
    if (this.#firstPacketAtMs !== null) return;
    this.#firstPacketAtMs = event.atMs;
    const { endSample } = this.#start.end;
    if (endSample === null) return; // keys do not wait in the jitter buffer
    const place = placeBefore(event.uplink, endSample);
    if (place === null) return;
    this.#stages.uplink = place.heldMs;
    this.#speechEndTimestamp = place.timestamp;
    // By the tape's own clock, which a late VAD does not move.
    if (this.#stages.endpoint > 0) this.#stages.endpointQueue = this.#latenessSince(place.writtenAtMs);
  }

  #latenessSince(speechEndAtMs: number): number {
    return Math.max(0, this.#start.decidedAtMs - speechEndAtMs - this.#stages.endpoint);
  }

  /** The report of the turn as it stands. @param reply the words that were played */
  report(outcome: TurnOutcome, reply: string): TurnReport {
    const { callId, sipCallId, turnId, input, decidedAtMs, bargeIn } = this.#start;
    const toVoiceMs = this.#firstPacketAtMs === null ? 0 : this.#firstPacketAtMs - decidedAtMs;
    const waitedMs = this.#stages.endpoint + this.#stages.endpointQueue;
    return {
      callId,
      sipCallId,
      turnId,
      input,
      heard: this.#heard,
      confidence: this.#confidence(),
      rejectedBy: this.#rejectedBy,
      reply,
      outcome,
      decidedAtMs,
      speechEndTimestamp: this.#speechEndTimestamp,
      stagesMs: this.#finishedStages(),
      decisionToVoiceMs: toVoiceMs,
      voiceToVoiceMs: this.#firstPacketAtMs === null ? 0 : toVoiceMs + waitedMs,
      bargeIn: bargeIn !== null,
      bargeInDecidedAtMs: bargeIn?.decidedAtMs ?? null,
      bargeInToSilenceMs: bargeIn?.silentAtMs == null ? null : bargeIn.silentAtMs - bargeIn.decidedAtMs,
    };
  }

  /** The geometric mean of the tokens' probabilities. */
  #confidence(): number | null {
    return this.#recognisedTokens === 0 ? null : Math.exp(this.#sumLogProbability / this.#recognisedTokens);
  }

  #finishedStages(): StagesMs {
    const stages = { ...this.#stages };
    if (this.#firstTokenAtMs !== null) {
      // Cut short before the engine gave its figures: queue and first token cannot be told apart.
      if (!this.#isGenerated) stages.llmFirstToken = this.#firstTokenAtMs - this.#thinkingAtMs;
      stages.firstSentence = Math.max(0, (this.#firstSentenceAtMs ?? 0) - this.#firstTokenAtMs);
    }
    if (this.#firstPacketAtMs !== null && this.#firstAudioAtMs !== null) {
      stages.playout = Math.max(0, this.#firstPacketAtMs - this.#firstAudioAtMs);
      const sinceDecisionMs = this.#firstPacketAtMs - this.#start.decidedAtMs;
      stages.handover = Math.max(0, sinceDecisionMs - sumOf(STAGES_TO_FIRST_PACKET, stages));
    }
    return stages;
  }
}

function sumOf(names: readonly (keyof StagesMs)[], stages: StagesMs): number {
  return names.reduce((sum, name) => sum + stages[name], 0);
}
