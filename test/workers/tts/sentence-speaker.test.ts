/** Sentences into rings, with a tone for a voice: order, parking, cancelling, taking up again. No model. */
import { describe, expect, it } from 'vitest';
import { createRing, type RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingReader } from '../../../src/ring-buffers/ring.ts';
import { SentenceSpeaker } from '../../../src/workers/tts/sentence-speaker.ts';
import {
  createSentencePlace,
  type RenderedSentence,
  type SpeakAttempt,
  type SpeakProgress,
} from '../../../src/workers/tts/tts-task.ts';
import { ToneEngine } from './tone-engine.ts';

const RATE_HZ = 8000;
const PAUSE_MS = 100;
const PAUSE_SAMPLES = (PAUSE_MS * RATE_HZ) / 1000;
const LETTER_SAMPLES = 320;

function setUp({ capacitySamples = 65_536, startIndex = 0, openingsBytes = 0 } = {}) {
  const engine = new ToneEngine();
  const speaker = new SentenceSpeaker(engine, { voice: '', sentencePauseMs: PAUSE_MS, openingsBytes });
  const ring = createRing({ rateHz: RATE_HZ, capacitySamples, startIndex });
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const attempt = (sentence: string, more: Partial<SpeakAttempt> = {}): SpeakAttempt => ({
    kind: 'speak',
    callId: 1,
    turnId: 1,
    sentence,
    voice: '',
    speed: 1,
    downlink: ring,
    epoch: 0,
    cancel,
    queuedAtMs: 0,
    place: createSentencePlace(),
    rendered: null,
    wantsRendered: false,
    realTimeFactor: 0.5,
    ...more,
  });
  const speak = async (sentence: string, more: Partial<SpeakAttempt> = {}): Promise<SpeakProgress> => {
    const result = await speaker.speak(attempt(sentence, more));
    if (result.kind === 'failed') throw new Error(result.error.message);
    return result;
  };
  return { engine, speaker, ring, cancel, attempt, speak };
}

function readAll(ring: RingHandle, samples: number): Int16Array {
  const all = new Int16Array(samples);
  new RingReader(ring).read(all);
  return all;
}

describe('speaking into a ring', () => {
  it('says where the sentence lies; the rest after it is written and not counted', async () => {
    const { speak, ring } = setUp();
    const result = await speak('abcde.');
    expect(result).toMatchObject({
      kind: 'spoken',
      startIndex: 0,
      endIndex: 5 * LETTER_SAMPLES,
      audioMs: 200,
    });
    expect(new RingReader(ring).fillSamples).toBe(5 * LETTER_SAMPLES + PAUSE_SAMPLES);
  });

  it("frees a chunk's memory when all of it is shaped", async () => {
    const { speak, engine } = setUp();
    let isFreed = true;
    engine.onChunk = () => {
      isFreed &&= engine.given.every((samples) => samples.length === 0);
    };
    await speak('abcdefghijklmnopqrstuvwxyz and more, abcdefghijklmnop.');
    await speak('abcdefghijklmnopqrstuvwxyz and more again, to be made in windows.');
    expect(engine.given.length).toBeGreaterThan(3);
    expect(engine.given.map(({ length }) => length)).toEqual(engine.given.map(() => 0));
    expect(isFreed).toBe(true);
  });

  it('sentences follow each other without overlap, also across the wrap of the indices', async () => {
    const startIndex = 2 ** 32 - 1000;
    const { speak } = setUp({ startIndex });
    const first = await speak('abcde.');
    const second = await speak('abc!');
    expect(first.startIndex).toBe(startIndex);
    expect(first.endIndex).toBe((startIndex + 5 * LETTER_SAMPLES) >>> 0);
    expect(second.startIndex).toBe(first.endIndex + PAUSE_SAMPLES);
    expect(second.endIndex).toBe(second.startIndex + 3 * LETTER_SAMPLES);
  });

  it('writes the first clause before the second is made', async () => {
    const { speak, engine, ring } = setUp();
    const fills: number[] = [];
    engine.onPiece = () => fills.push(new RingReader(ring).fillSamples);
    await speak('a clause of some length, and another one that follows it.');
    expect(engine.asked).toHaveLength(2);
    expect(fills[1]).toBeGreaterThan(0);
  });

  it.each(['', '...', '😀', '<br/>'])(
    'nothing to say in %j is a spoken sentence without samples',
    async (text) => {
      const { speak, ring } = setUp();
      const result = await speak(text);
      expect(result).toMatchObject({
        kind: 'spoken',
        startIndex: 0,
        endIndex: 0,
        audioMs: 0,
        firstAudioAtMs: null,
      });
      expect(new RingReader(ring).fillSamples).toBe(0);
    },
  );

  it('a failed synthesis is a result, and the next sentence works', async () => {
    const { speaker, attempt, speak } = setUp();
    expect(await speaker.speak(attempt('boom'))).toMatchObject({
      kind: 'failed',
      error: { code: 'INFERENCE_FAILED' },
    });
    expect(await speak('ok.')).toMatchObject({ kind: 'spoken' });
  });

  it('hands out the rendered sentence when asked, equal to what is in the ring', async () => {
    const { speak, ring } = setUp();
    const { rendered } = await speak('abcde.', { wantsRendered: true });
    const { pcm, speechSamples } = rendered as RenderedSentence;
    expect(speechSamples).toBe(5 * LETTER_SAMPLES);
    expect(new Int16Array(pcm)).toEqual(readAll(ring, pcm.length));
  });

  it('a rendered sentence is copied, not made', async () => {
    const { speak, engine, ring } = setUp();
    const first = await speak('abcde.', { wantsRendered: true });
    const again = await speak('abcde.', { rendered: first.rendered });
    expect(engine.asked).toHaveLength(1);
    expect(again).toMatchObject({ kind: 'spoken', audioMs: 200 });
    const all = readAll(ring, 2 * (first.rendered as RenderedSentence).pcm.length);
    expect(all.subarray(all.length / 2)).toEqual(all.subarray(0, all.length / 2));
  });
});

describe('an engine that makes windows', () => {
  const FAST = 0.01;
  const SENTENCE = 'abcdefghijklmnopqrstuvwxyz.';
  const HELLO = 'hello, this is the assistant.';

  it('is heard before it has made the rest, and says the same', async () => {
    const { speak, engine, ring } = setUp();
    await speak(HELLO, { realTimeFactor: FAST });
    const before = new RingReader(ring).fillSamples;
    const fills: number[] = [];
    engine.onChunk = () => fills.push(new RingReader(ring).fillSamples - before);
    const { rendered } = await speak(SENTENCE, { realTimeFactor: FAST, wantsRendered: true });
    expect(fills).toHaveLength(2);
    expect(fills[1]).toBeGreaterThan((200 * RATE_HZ) / 1000);
    const slow = setUp();
    await slow.speak(HELLO);
    const atOnce = await slow.speak(SENTENCE, { wantsRendered: true });
    expect(rendered).toEqual(atOnce.rendered);
  });

  it('makes the first sentence of a voice at once: its level is not known yet', async () => {
    const { speak, engine } = setUp();
    const chunks: number[] = [];
    engine.onChunk = (taken) => chunks.push(taken);
    for (const voice of ['tone', 'tone', 'other', 'other'])
      await speak(SENTENCE, { voice, realTimeFactor: FAST });
    expect(chunks).toEqual([0, 0, 1, 0, 0, 1]);
  });

  it('makes all at once for a text that nobody waits for', async () => {
    const { speaker, engine } = setUp();
    const chunks: number[] = [];
    engine.onChunk = (taken) => chunks.push(taken);
    const voicing = { voice: '', speed: 1, rateHz: RATE_HZ, realTimeFactor: FAST };
    for (let i = 0; i < 2; i++) await speaker.render({ kind: 'render', text: SENTENCE, ...voicing });
    expect(chunks).toEqual([0, 0]);
  });

  it('barged in on in the middle of a piece makes no more of it', async () => {
    const { speak, engine, ring } = setUp();
    await speak(HELLO, { realTimeFactor: FAST });
    const chunks: number[] = [];
    engine.onChunk = (taken) => {
      chunks.push(taken);
      if (taken === 1) new RingController(ring).requestFlush();
    };
    const result = await speak(SENTENCE.repeat(8), { realTimeFactor: FAST / 0.05 });
    expect(result.kind).toBe('cancelled');
    expect(chunks).toEqual([0, 1]);
  });
});

describe('an opening', () => {
  const OPENING = 'certainly so,';
  const sentences = ['we have a table.', 'there is a room.', 'you may come.', 'we are open.'];
  const speakAll = async (openingsBytes: number) => {
    const { speak, engine, ring } = setUp({ openingsBytes });
    const made: SpeakProgress[] = [];
    for (const rest of sentences) made.push(await speak(`${OPENING} ${rest}`, { wantsRendered: true }));
    return { made, asked: engine.asked, ring };
  };

  it('that was asked for twice is remembered, and sounds as if it were made', async () => {
    const known = await speakAll(2 ** 20);
    const unknown = await speakAll(0);
    const timesMade = (asked: readonly string[]) => asked.filter((piece) => piece === OPENING).length;
    expect([timesMade(known.asked), timesMade(unknown.asked)]).toEqual([2, 4]);
    expect(known.made.map(({ rendered }) => rendered)).toEqual(unknown.made.map(({ rendered }) => rendered));
    const openingMs = 11 * 40;
    expect(known.made.map(({ knownMs }) => knownMs)).toEqual([0, 0, openingMs, openingMs]);
    const samples = new RingReader(unknown.ring).fillSamples;
    expect(readAll(known.ring, samples)).toEqual(readAll(unknown.ring, samples));
  });

  it('is another one in another voice or pace', async () => {
    const { speak, engine } = setUp({ openingsBytes: 2 ** 20 });
    for (const rest of sentences) await speak(`${OPENING} ${rest}`);
    engine.asked.length = 0;
    await speak(`${OPENING} goodbye.`, { voice: 'other' });
    await speak(`${OPENING} goodbye.`, { speed: 0.5 });
    expect(engine.asked).toEqual([OPENING, 'goodbye.', OPENING, 'goodbye.']);
  });

  it('is made when a text is rendered: the warm-up measures the speed by it', async () => {
    const { speak, speaker, engine } = setUp({ openingsBytes: 2 ** 20 });
    for (const rest of sentences) await speak(`${OPENING} ${rest}`);
    engine.asked.length = 0;
    const voicing = { voice: '', speed: 1, rateHz: RATE_HZ, realTimeFactor: 0.5 };
    await speaker.render({ kind: 'render', text: `${OPENING} goodbye.`, ...voicing });
    expect(engine.asked).toEqual([OPENING, 'goodbye.']);
  });
});

describe('a full ring', () => {
  it('parks the sentence; taken up again it goes on where it stood, and nothing is lost or doubled', async () => {
    const { speak, speaker, attempt, ring } = setUp({ capacitySamples: 1024 });
    const reference = await setUp().speak('abcdefgh.', { wantsRendered: true });
    const place = createSentencePlace();
    let progress = await speak('abcdefgh.', { place });
    expect(progress).toMatchObject({ kind: 'parked', startIndex: 0, endIndex: 1024 });
    const heard: number[] = [];
    const reader = new RingReader(ring);
    while (progress.kind === 'parked') {
      const some = new Int16Array(700);
      heard.push(...some.subarray(0, reader.read(some)));
      progress = (await speaker.speak(
        attempt('abcdefgh.', { place, rendered: progress.rendered }),
      )) as SpeakProgress;
    }
    const last = new Int16Array(reader.fillSamples);
    reader.read(last);
    expect(progress).toMatchObject({ kind: 'spoken', endIndex: 8 * LETTER_SAMPLES });
    expect(Int16Array.from([...heard, ...last])).toEqual(
      new Int16Array((reference.rendered as RenderedSentence).pcm),
    );
  });

  it('full of a flushed reply: acknowledges, waits for the reader, then writes', async () => {
    const { speak, ring } = setUp({ capacitySamples: 2048 });
    await speak('abcdefgh.');
    const epoch = new RingController(ring).requestFlush();
    const spoken = speak('ab.', { epoch });
    const frame = new Int16Array(160);
    const reader = new RingReader(ring);
    const clock = setInterval(() => reader.read(frame), 10);
    const result = await spoken;
    clearInterval(clock);
    expect(result).toMatchObject({ kind: 'spoken', startIndex: 2048, endIndex: 2048 + 2 * LETTER_SAMPLES });
  });
});

describe('sentences nobody wants any more', () => {
  it('cancelled before it began: nothing is made, nothing is written', async () => {
    const { speak, cancel, engine } = setUp();
    Atomics.store(cancel, 0, 1);
    expect(await speak('abc.')).toMatchObject({ kind: 'cancelled', startIndex: 0, endIndex: 0 });
    expect(engine.asked).toEqual([]);
  });

  it('cancelled between two clauses: the first is in the ring, the second is not made', async () => {
    const { speak, cancel, engine } = setUp();
    engine.onPiece = () => {
      if (engine.asked.length === 2) Atomics.store(cancel, 0, 1);
    };
    const result = await speak('a clause of some length, and another one that follows it, and a third.');
    expect(result).toMatchObject({ kind: 'cancelled', startIndex: 0, endIndex: 19 * LETTER_SAMPLES });
    expect(engine.asked).toHaveLength(2);
  });

  it('barged in on: cancelled, and the next epoch starts clean', async () => {
    const { speak, engine, ring } = setUp();
    let epoch = 0;
    engine.onPiece = () => {
      if (engine.asked.length === 2) epoch = new RingController(ring).requestFlush();
    };
    const old = await speak('a clause of some length, and another one that follows it.');
    expect(old.kind).toBe('cancelled');
    engine.onPiece = () => {};
    const next = await speak('abc.', { epoch, turnId: 2 });
    expect(next.startIndex).toBe(old.endIndex + PAUSE_SAMPLES / 2);
    const reader = new RingReader(ring);
    const heard = new Int16Array(65_536);
    expect(reader.read(heard)).toBe(3 * LETTER_SAMPLES + PAUSE_SAMPLES);
    expect(reader.readIndex).toBe((next.endIndex + PAUSE_SAMPLES) >>> 0);
  });

  it('another turn of the call is not cancelled by this one', async () => {
    const { speak, cancel } = setUp();
    Atomics.store(cancel, 0, 1);
    expect(await speak('abc.', { turnId: 2 })).toMatchObject({ kind: 'spoken' });
  });
});

describe('a sentence whose thread died', () => {
  it('is made again and goes on behind what is in the ring: as long as if nothing had happened', async () => {
    const { speaker, attempt, speak, ring } = setUp();
    const place = createSentencePlace();
    const text = 'a clause of some length, and another one that follows it.';
    const died = await speaker.speak(attempt(text, { place }), () => {
      throw new Error('thread died');
    });
    expect(died.kind).toBe('failed');
    const written = new RingReader(ring).fillSamples;
    const again = await speak(text, { place });
    const whole = await setUp().speak(text);
    expect(written).toBeGreaterThan(0);
    expect(again).toMatchObject({ kind: 'spoken', startIndex: 0, endIndex: whole.endIndex });
  });
});
