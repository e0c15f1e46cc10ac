/** What still comes of an old reply while the caller asks again, and chunks that cannot be heard: by real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { RingController, RingReader } from '../../../src/ring-buffers/ring.ts';
import { until } from '../../media/rtp-peer.ts';
import { CALL_ID, type Peer, WIRE_ID, WireBed } from './wire-bed.ts';

const NO_OTHERS = { begin() {}, text() {}, end() {} };
/** 40 ms, as a TTS sends them. */
const CHUNK_MS = 40;
/** The bytes of the utterance, its length field and a HELLO. */
const SPEECH_BYTES = 32_000;

let bed: WireBed;
let chunks: NodeJS.Timeout | undefined;

afterEach(async () => {
  clearInterval(chunks);
  await bed.close();
});

function streamFrom(tts: Peer, firstId: number): void {
  let chunkId = firstId;
  tts.chunk(chunkId);
  chunks = setInterval(() => tts.chunk(++chunkId), CHUNK_MS);
}

async function heardAgain(whisper: Peer): Promise<void> {
  const before = whisper.receivedBytes;
  await until(() => whisper.receivedBytes >= before + SPEECH_BYTES, 10_000);
}

describe('a chunk that comes while the caller is transcribed', () => {
  it('does not stand for the text where the language model is here', async () => {
    bed = await WireBed.open(['sip', 'llama'], { transcriptTimeoutMs: 5000 });
    const texts = bed.calls.divert('onCallerText', NO_OTHERS);
    const [whisper, tts] = [await bed.dialInbound(), await bed.dialOutbound()];
    const transcript = bed.transcribe();
    await heardAgain(whisper);
    tts.chunk(1);
    await until(() => new RingController(bed.ring).writeIndex > 0, 10_000);
    texts.text(WIRE_ID, 'a table for friday');
    expect(await transcript).toMatchObject({ text: 'a table for friday' });
  });

  it('does not stand for the text, nor begin the answer, when it belongs to a reply that was cut short', async () => {
    bed = await WireBed.open(['sip'], { transcriptTimeoutMs: 5000, replyGapMs: 200 });
    const [whisper, tts] = [await bed.dialInbound(), await bed.dialOutbound()];
    const first = bed.transcribe();
    await heardAgain(whisper);
    whisper.text('tell me all');
    expect(await first).toMatchObject({ text: 'tell me all' });
    streamFrom(tts, 1);
    const task = { callId: CALL_ID, sentence: '…', voice: 'v', speed: 1, downlink: bed.ring };
    const { engines } = bed.calls;
    const question = { callId: CALL_ID, messages: [], replyPrefix: '', cancel: bed.cancel };
    await engines.llama.generate({ ...question, turnId: 1 }, () => {});
    const reply = engines.tts.speak({ ...task, turnId: 1, epoch: 0, cancel: bed.cancel });
    const controller = new RingController(bed.ring);
    await until(() => controller.writeIndex > 0, 10_000);
    Atomics.store(bed.cancel, 0, 1); // the caller barges in, and the old reply goes on arriving
    controller.requestFlush();
    expect(await reply).toMatchObject({ kind: 'cancelled' });

    const second = bed.transcribe(2);
    await heardAgain(whisper);
    const discarded = (): number => bed.counted.filter((reason) => reason === 'chunkDiscarded').length;
    const before = discarded();
    await until(() => discarded() > before + 2, 10_000);
    clearInterval(chunks);
    const writtenBefore = controller.writeIndex;
    whisper.text('a table for friday');
    expect(await second).toMatchObject({ text: 'a table for friday' });
    expect(controller.writeIndex).toBe(writtenBefore);
    tts.chunk(900);
    await engines.llama.generate({ ...question, turnId: 2 }, () => {});
    const answer = engines.tts.speak({
      ...task,
      turnId: 2,
      epoch: controller.epoch,
      cancel: bed.cancel,
    });
    await until(() => controller.playableSamples > 0, 10_000);
    const heard = new Int16Array(400);
    await until(() => new RingReader(bed.ring).read(heard) > 0, 10_000);
    expect(Math.abs(heard[100]! / 32_768 - 0.9)).toBeLessThan(0.05);
    Atomics.store(bed.cancel, 0, 2);
    await answer;
  });
});

describe('a chunk of a rate that no resampler has', () => {
  it('closes the connection that it came by, which may come back', async () => {
    bed = await WireBed.open(['sip']);
    const tts = await bed.dialOutbound();
    tts.chunk(1, 44_101);
    await until(() => tts.isClosed, 10_000);
    expect(bed.counted).toContain('rateRefused');
    const again = await bed.dialOutbound();
    again.chunk(2);
    await until(() => new RingController(bed.ring).writeIndex > 0, 10_000);
    expect(again.isClosed).toBe(false);
  });
});
