/** Where the time of a turn went: the figures of a report are whole, and add up to what the caller waited. */
import { describe, expect, it } from 'vitest';
import type { TurnReport } from '../../src/call/reports.ts';
import { TurnTimeline } from '../../src/call/turn-timeline.ts';
import type { MediaEvent } from '../../src/media/media-protocol.ts';
import { UplinkClock } from '../../src/media/uplink-clock.ts';
import type { Spoken, Transcript } from '../../src/workers/protocol.ts';
import { CallHarness, pass, useFakeClock } from './call-harness.ts';
import {
  LLM_FIRST_TOKEN_MS,
  LLM_QUEUE_MS,
  MS_PER_PIECE,
  STT_COMPUTE_MS,
  STT_QUEUE_MS,
  TTS_FIRST_AUDIO_MS,
  TTS_QUEUE_MS,
} from './fake-engines.ts';
import { Gate } from './gate.ts';

const SECONDS_OF_SPEECH_PER_WINDOW = 10;

function sumOf(turn: TurnReport): number {
  return Object.values(turn.stagesMs).reduce((sum, ms) => sum + ms, 0);
}

function timelineAt(decidedAtMs: number): TurnTimeline {
  return new TurnTimeline({
    callId: 1,
    sipCallId: 'x',
    turnId: 2,
    input: 'speech',
    decidedAtMs,
    end: { endSample: 1600, endpointDelayMs: 400 },
    bargeIn: null,
  });
}

/** Decided at 1000, after 400 ms, 3 ms late. */
const SPEECH_END_MS = 597;

/** The first packet of a reply; RTP timestamps of the caller are 70,000 ahead of the tape. */
function firstPacket(atMs: number, heldMs: number): Extract<MediaEvent, { kind: 'playoutStarted' }> {
  const clock = new UplinkClock();
  for (let sample = 0; sample < 8000; sample += 160)
    clock.note(sample, 70_000 + sample, SPEECH_END_MS - (sample === 1440 ? heldMs : 99), SPEECH_END_MS);
  return { kind: 'playoutStarted', callId: 1, atMs, ringIndex: 0, uplink: clock.recent() };
}

function timed(harness: CallHarness): CallHarness {
  const { whisper, llama, tts } = harness.engines;
  for (const engine of [whisper, llama, tts]) engine.takesTime = true;
  return harness;
}

describe('the figures of a turn in a call', () => {
  useFakeClock();

  it('add up from the last speech sample to the first packet of the reply', async () => {
    const harness = timed(new CallHarness());
    harness.engines.llama.script.push(['One', ' two', ' three.', ' Four.']);
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(700);
    await harness.untilSilent();
    const [turn] = harness.turns;
    expect(turn?.stagesMs).toMatchObject({
      endpoint: 400,
      sttQueue: STT_QUEUE_MS,
      stt: STT_COMPUTE_MS,
      llmQueue: LLM_QUEUE_MS,
      llmFirstToken: LLM_FIRST_TOKEN_MS,
      // The space after the full stop comes with the fourth piece.
      firstSentence: 3 * MS_PER_PIECE,
      ttsQueue: TTS_QUEUE_MS,
      ttsFirstAudio: TTS_FIRST_AUDIO_MS,
    });
    expect(turn?.stagesMs.playout).toBeLessThanOrEqual(20);
    if (turn === undefined) return;
    expect(turn.voiceToVoiceMs).toBeCloseTo(sumOf(turn), 3);
    expect(turn.decisionToVoiceMs).toBeCloseTo(turn.voiceToVoiceMs - 400, 3);
    await harness.call.end('caller', 'bye');
  });

  it('count windows that are transcribed side by side once', async () => {
    const harness = timed(new CallHarness());
    await harness.establishAndGreet();
    await harness.speak(1.6 * SECONDS_OF_SPEECH_PER_WINDOW * 1000);
    await pass(700);
    await harness.untilSilent();
    expect(harness.engines.whisper.tasks.length).toBe(2);
    const [turn] = harness.turns;
    expect(turn?.heard).toBe('hello hello');
    expect(turn?.stagesMs.stt).toBe(STT_COMPUTE_MS);
    expect(turn?.voiceToVoiceMs).toBeCloseTo(turn === undefined ? 0 : sumOf(turn), 3);
    await harness.call.end('caller', 'bye');
  });

  it('are whole for a reply without LLaMA', async () => {
    const harness = timed(new CallHarness());
    harness.engines.whisper.script.push('');
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(700);
    await harness.untilSilent();
    const [turn] = harness.turns;
    expect(turn?.stagesMs).toMatchObject({ llmQueue: 0, llmFirstToken: 0, firstSentence: 0 });
    expect(turn?.voiceToVoiceMs).toBeCloseTo(turn === undefined ? 0 : sumOf(turn), 3);
    await harness.call.end('caller', 'bye');
  });

  it('know the first token of a reply that was cut short while it was being written', async () => {
    const harness = timed(new CallHarness());
    harness.engines.llama.script.push(['The first sentence is here to be heard. ', new Gate()]);
    await harness.establishAndGreet();
    await harness.speak(800);
    await pass(1500);
    await harness.speak(700);
    const [turn] = harness.turns;
    expect(turn).toMatchObject({ outcome: 'bargedIn' });
    expect(turn?.stagesMs.llmFirstToken).toBe(LLM_QUEUE_MS + LLM_FIRST_TOKEN_MS);
    await harness.call.end('caller', 'bye');
  });
});

describe('a timeline', () => {
  const transcript = { queueMs: 5, computeMs: 50, rejectedBy: 'none', tokens: 0 } as Transcript;
  const spoken = { queueMs: 1, firstAudioMs: 9, leadInMs: 40 } as Spoken;

  it('is all zero but for the endpoint when nothing came of the turn', () => {
    const report = timelineAt(1000).report('nothingHeard', '');
    expect(sumOf(report)).toBe(400);
    expect(report).toMatchObject({ voiceToVoiceMs: 0, decisionToVoiceMs: 0, bargeInToSilenceMs: null });
  });

  it('tells how sure the recogniser was, weighted by tokens, and which guard threw text away', () => {
    const judged = {
      queueMs: 0,
      computeMs: 50,
      noSpeechProbability: 0,
      text: '',
      audioMs: 900,
      kind: 'transcript',
    } as const;
    const timeline = timelineAt(1000);
    timeline.onTranscript({ ...judged, rejectedBy: 'none', tokens: 9, meanLogProbability: -0.1 });
    timeline.onTranscript({ ...judged, rejectedBy: 'lowConfidence', tokens: 4, meanLogProbability: -1.3 });
    const report = timeline.report('nothingHeard', '');
    expect(report.confidence).toBeCloseTo(Math.exp(-(10 * 0.1 + 5 * 1.3) / 15), 9);
    expect(report.rejectedBy).toBe('lowConfidence');
    expect(timelineAt(1000).report('replied', '')).toMatchObject({ confidence: null, rejectedBy: 'none' });
  });

  it('takes the first of everything', () => {
    const timeline = timelineAt(1000);
    timeline.onTranscript(transcript);
    timeline.onThinking('hi', 1055);
    for (const atMs of [1080, 1090]) timeline.onText(atMs);
    for (const atMs of [1100, 1200]) timeline.onSentence(atMs);
    timeline.onGenerated(2, 23);
    timeline.onSpoken(spoken);
    timeline.onSpoken({ ...spoken, firstAudioMs: 500, leadInMs: 60 });
    for (const atMs of [1124, 1300]) timeline.onFirstPacket(firstPacket(atMs, 25));
    const report = timeline.report('replied', 'hello');
    expect(report.stagesMs).toEqual({
      uplink: 25,
      endpoint: 400,
      endpointQueue: 3,
      sttQueue: 5,
      stt: 50,
      llmQueue: 2,
      llmFirstToken: 23,
      firstSentence: 20,
      ttsQueue: 1,
      ttsFirstAudio: 9,
      playout: 14,
      handover: 0,
      leadIn: 40,
    });
    expect(report).toMatchObject({
      heard: 'hi',
      reply: 'hello',
      decisionToVoiceMs: 124,
      voiceToVoiceMs: 527,
      speechEndTimestamp: 71_600,
    });
    expect(sumOf(report)).toBe(report.voiceToVoiceMs + 25 + 40);
  });

  it('counts what no engine measured, messages and waits for the main thread, as handover', () => {
    const timeline = timelineAt(1000);
    timeline.onTranscript(transcript);
    timeline.onThinking('hi', 1070); // 15 ms after the transcript was ready
    timeline.onText(1090); // 3 ms after the first token
    timeline.onGenerated(2, 15);
    timeline.onSentence(1100);
    timeline.onSpoken(spoken);
    timeline.onFirstPacket(firstPacket(1115, 20));
    const { stagesMs, voiceToVoiceMs } = timeline.report('replied', '');
    expect(stagesMs).toMatchObject({ handover: 18, playout: 5 });
    expect(Object.values(stagesMs).reduce((sum, ms) => sum + ms)).toBe(voiceToVoiceMs + 20 + 40);
  });

  it('tells how late the decision was by the clock of the tape, not by what the VAD believed', () => {
    const timeline = timelineAt(1060);
    timeline.onFirstPacket(firstPacket(1100, 20));
    expect(timeline.report('replied', '').stagesMs).toMatchObject({ endpoint: 400, endpointQueue: 63 });
  });

  it('never has a negative stage', () => {
    const timeline = timelineAt(1000);
    timeline.onText(1010);
    timeline.onSentence(1020);
    timeline.onSpoken(spoken);
    timeline.onFirstPacket(firstPacket(1025, 0));
    expect(Math.min(...Object.values(timeline.report('replied', '').stagesMs))).toBeGreaterThanOrEqual(0);
  });
});
