/**
 * Our SIP role in the place of the old sip-client and its two audio processors: a caller on real SIP and RTP, behind
 * it the old Whisper, LLaMA and TTS. Callers say different things at the same time; each has to hear the voice of the
 * reply to what it said itself.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '../../../src/observability/clock.ts';
import { until } from '../../media/rtp-peer.ts';
import { hasTestPack } from '../../models/test-pack.ts';
import { TestCaller } from '../../runtime/test-caller.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OldLlama } from '../peers/old-llama.ts';
import { startOldTts, startOldWhisper } from '../peers/old-services.ts';
import { KOKORO, type OldTts, PIPER, type TtsFlavour } from '../peers/old-tts.ts';
import type { OldWhisper } from '../peers/old-whisper.ts';
import { frequencyOf, voiceOf } from '../peers/script.ts';
import { AUDIO_IN_RATE_HZ } from '../peers/wire.ts';
import { closersAfterEach } from './closers.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess } from './our-process.ts';
import { OwnStalls } from './own-stalls.ts';
import { PIECES, recognise } from './spoken-pieces.ts';

const LINE_RATE_HZ = 8000;
const INT16_SCALE = 32_768;
/** Concealed packets of a busy box cost a piece some of its shape; the right one still fits best. */
const SAME_SHAPE = 0.6;
/** Two packets late: a jitter buffer may give up the third. */
const MAX_STALL_MS = 40;
/** A reply lasts 170 ms. */
const LISTEN_MS = 300;
const ANSWER_LIMIT_MS = 20_000;
/** Texts that a failure tells. */
const LAST_TOLD = 5;
/** A process that stood still conceals so much of a piece or its reply that it fits none: so many calls may be unclear. */
const MAX_UNCLEAR_SHARE = 0.1;
/** Of few calls, so many. */
const MAX_UNCLEAR_OF_FEW = 2;
const SAME_VOICE_HZ = 10;
const UNCLEAR = 'something unclear';

const closers = closersAfterEach();

interface System {
  readonly ports: OldPorts;
  readonly llama: OldLlama;
  readonly tts: OldTts;
  readonly whisper: OldWhisper;
  readonly ours: OurProcess;
}

async function startSystem(flavour: TtsFlavour): Promise<System> {
  const ports = await freeOldPorts(802);
  const { llamaPort, ttsPort } = ports;
  const tts = closers.add(await startOldTts(ports, flavour));
  const llama = closers.add(await OldLlama.start({ port: llamaPort, ttsPort, reply: replyAbout }));
  const whisper = closers.add(await startOldWhisper(ports, { transcribe: pieceIn }));
  const settings = ['control.firstCallId=2', 'turn.minEndpointDelayMs=200'];
  const ours = closers.add(await OurProcess.start({ roles: ['sip'], ports, settings }));
  return { ports, llama, tts, whisper, ours };
}

/** What the old Whisper understands: which piece it was. */
function pieceIn(samples: Float32Array): string {
  const { piece, similarity } = recognise(samples, AUDIO_IN_RATE_HZ);
  return similarity > SAME_SHAPE ? nameOf(piece) : UNCLEAR;
}

function nameOf(piece: number): string {
  return `piece ${piece}`;
}

function replyAbout(text: string): string {
  return `That was ${text}.`;
}

/** The pitch of the voice that answers `piece`. */
function replyHz(piece: number, rateHz: number): number {
  return frequencyOf(voiceOf(replyAbout(nameOf(piece)), rateHz), rateHz);
}

it.each([
  ['Piper', PIPER],
  ['Kokoro', KOKORO],
])('the replies with %s can be told apart by their pitch', (_name, { sampleRateHz }) => {
  const pitchesHz = [
    frequencyOf(voiceOf(replyAbout(UNCLEAR), sampleRateHz), sampleRateHz),
    ...PIECES.map((_, piece) => replyHz(piece, sampleRateHz)),
  ].sort((a, b) => a - b);
  const gapsHz = pitchesHz.slice(1).map((hz, index) => hz - (pitchesHz[index] ?? 0));
  expect(Math.min(...gapsHz), `${pitchesHz}`).toBeGreaterThan(2 * SAME_VOICE_HZ);
});

describe.skipIf(!hasTestPack('manifest.json'))(
  'our SIP role before the old programs',
  { timeout: 600_000 },
  () => {
    let caller: TestCaller;
    const stalls = new OwnStalls(MAX_STALL_MS);
    /** Calls of which it was looked which reply they heard, and those of them in which it was none of them. */
    let judged = 0;
    let unclear = 0;

    beforeAll(async () => {
      caller = await TestCaller.start();
    });

    beforeEach(() => {
      judged = 0;
      unclear = 0;
    });

    afterEach(() => {
      console.log(`${judged} calls judged, ${unclear} of them unclear`);
      expect(unclear).toBeLessThanOrEqual(Math.max(MAX_UNCLEAR_OF_FEW, MAX_UNCLEAR_SHARE * judged));
    });

    afterAll(async () => {
      stalls.close();
      await caller.close();
    });

    /** One call: a piece of speech there, the voice of the reply to it back, and no other's. */
    async function holdCall(
      { ours, tts }: System,
      piece: number,
      { sampleRateHz }: TtsFlavour,
    ): Promise<void> {
      const startedAtMs = performance.now();
      const call = await caller.dial(ours.sipPort);
      const { telephone } = call;
      const dialledAtMs = monotonicMs();
      await telephone.say(PIECES[piece]!);
      const hasHeard = (): boolean => {
        const voicedAtMs = telephone.heard.firstVoicedAtMs(dialledAtMs);
        return voicedAtMs !== null && monotonicMs() - voicedAtMs > LISTEN_MS;
      };
      await until(hasHeard, ANSWER_LIMIT_MS);
      const line = Float32Array.from(telephone.heard.samples, (sample) => sample / INT16_SCALE);
      await call.hangUp();
      judged += 1;
      const heardHz = frequencyOf(line, LINE_RATE_HZ);
      const repliedTo = PIECES.findIndex(
        (_, one) => Math.abs(heardHz - replyHz(one, sampleRateHz)) <= SAME_VOICE_HZ,
      );
      if (repliedTo < 0 || (repliedTo !== piece && stalls.hasStalledSince(startedAtMs))) unclear += 1;
      else expect(repliedTo, `${heardHz} Hz; ${JSON.stringify(tts.heard.slice(-LAST_TOLD))}`).toBe(piece);
    }

    describe.each([
      ['Piper', PIPER],
      ['Kokoro', KOKORO],
    ])('with %s', (_name, flavour) => {
      it('holds a call, then gives everything back', async () => {
        const system = await startSystem(flavour);
        // An unclear call shows nothing.
        do await holdCall(system, 0, flavour);
        while (judged === unclear && unclear <= MAX_UNCLEAR_OF_FEW);
        await becomesIdle(system.ours);
        await expect.poll(() => [system.whisper.audioCalls, system.tts.registered]).toEqual([[], []]);
        expect(system.whisper.hellos).toHaveLength(judged);
        expect(system.whisper.counts).toMatchObject({ badHellos: 0, idMismatches: 0 });
        expect(await system.ours.stop()).toBe(0);
      });

      it('holds 20 calls at once', async () => {
        const system = await startSystem(flavour);
        const pieces = Array.from({ length: 20 }, (_, index) => index % PIECES.length);
        await Promise.all(pieces.map((piece) => holdCall(system, piece, flavour)));
        await becomesIdle(system.ours);
      });
    });

    it.each([
      ['Piper', 1, PIPER],
      ['Kokoro', 5, KOKORO],
    ] as const)('holds 200 calls after one another with %s, %i at a time', async (_name, lanes, flavour) => {
      const system = await startSystem(flavour);
      const lane = async (index: number): Promise<void> => {
        for (let call = 0; call < 200 / lanes; call++)
          await holdCall(system, (call + index) % PIECES.length, flavour);
      };
      await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
      await becomesIdle(system.ours);
      expect(system.llama.counts).toMatchObject({ connections: 200, refusedSeconds: 0 });
      expect(new Set(system.whisper.hellos).size).toBe(200);
    });
  },
);
