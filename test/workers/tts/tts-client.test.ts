/** The TTS pool from the main side, on real threads, with the tone voice of the fixtures: no model pack needed. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRing, type RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingReader } from '../../../src/ring-buffers/ring.ts';
import { type Sentence, TtsClient, type TtsClientOptions } from '../../../src/workers/tts/tts-client.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const RATE_HZ = 8000;
const PAUSE_MS = 100;
const PAUSE_SAMPLES = (PAUSE_MS * RATE_HZ) / 1000;
const LONG = 'This is a rather long sentence, with a clause in the middle, and one more at the end.';

const OPTIONS: TtsClientOptions = {
  engine: 'piper',
  folder: join(import.meta.dirname, 'fixtures', 'piper-one'),
  dtype: 'fp32',
  voice: '',
  threads: 2,
  niceIncrement: 0,
  sentencePauseMs: PAUSE_MS,
  // Slow enough that sentences are cut, and always at the same places.
  assumedRealTimeFactor: 0.2,
  allowFaults: true,
};

class Call {
  readonly ring: RingHandle;
  readonly cancel = new Int32Array(new SharedArrayBuffer(4));
  readonly reader: RingReader;
  readonly controller: RingController;
  readonly callId: number;

  constructor(callId: number, capacitySamples = 2 ** 18) {
    this.callId = callId;
    this.ring = createRing({ rateHz: RATE_HZ, capacitySamples });
    this.reader = new RingReader(this.ring);
    this.controller = new RingController(this.ring);
  }

  sentence(sentence: string, more: Partial<Sentence> = {}): Sentence {
    const { callId, cancel, ring: downlink } = this;
    const epoch = this.controller.epoch;
    return { callId, turnId: 1, sentence, voice: '', speed: 1, downlink, epoch, cancel, ...more };
  }

  heard(): Int16Array {
    const all = new Int16Array(this.reader.fillSamples);
    this.reader.read(all);
    return all;
  }
}

let tts: TtsClient;
const died: string[] = [];
beforeAll(async () => {
  tts = await TtsClient.start({ ...OPTIONS, onWorkerDied: (message) => died.push(message) });
});
afterAll(() => tts.close());

const render = async (text: string): Promise<Int16Array> =>
  (await tts.render(text, { rateHz: RATE_HZ })).samples;

describe('sentences of one call', () => {
  it('are written in the order they were given, without overlap, the long one first though the short is quicker', async () => {
    const call = new Call(1);
    const spoken = await Promise.all(
      [LONG, 'Yes.', 'No, not at all.'].map((text) => tts.speak(call.sentence(text))),
    );
    expect(spoken.map(({ kind }) => kind)).toEqual(['spoken', 'spoken', 'spoken']);
    expect(spoken[1]?.startIndex).toBe((spoken[0]?.endIndex as number) + PAUSE_SAMPLES);
    expect(spoken[2]?.startIndex).toBe((spoken[1]?.endIndex as number) + PAUSE_SAMPLES);
    const heard = call.heard();
    expect(heard.subarray(spoken[1]?.startIndex, spoken[1]?.endIndex)).toEqual(await render('Yes.'));
  });

  it('report their times', async () => {
    const spoken = await tts.speak(new Call(1).sentence('How long does that take?'));
    expect(spoken.audioMs).toBe((1000 * (spoken.endIndex - spoken.startIndex)) / RATE_HZ);
    expect(spoken.queueMs).toBeGreaterThanOrEqual(0);
    expect(spoken.firstAudioMs).toBeGreaterThan(0);
    expect(spoken.firstAudioMs).toBeLessThanOrEqual(spoken.computeMs);
  });

  it('a failed one does not hold up the next', async () => {
    const call = new Call(1);
    const [failed, next] = await Promise.allSettled([
      tts.speak(call.sentence('Who is that?', { voice: 'nobody' })),
      tts.speak(call.sentence('Never mind.')),
    ]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'CONFIG_INVALID' } });
    expect(next).toMatchObject({ status: 'fulfilled', value: { kind: 'spoken', startIndex: 0 } });
  });
});

describe('two calls at once', () => {
  it('do not mix: each ring holds exactly its own sentences', async () => {
    const calls = [new Call(1), new Call(2), new Call(3)];
    const texts = ['The first call speaks.', 'Another one, too.', 'And a third one answers.'];
    await Promise.all(calls.map((call, i) => tts.speak(call.sentence(texts[i] as string))));
    for (const [i, call] of calls.entries()) {
      const expected = await render(texts[i] as string);
      expect(call.heard().subarray(0, expected.length)).toEqual(expected);
    }
  });
});

describe('barge-in', () => {
  it('in the middle of a sentence: cancelled with its indices, nothing stale is heard afterwards', async () => {
    const call = new Call(1, 4096);
    const spoken = tts.speak(call.sentence(LONG));
    const waiting = tts.speak(call.sentence('This one was waiting.'));
    await until(() => call.reader.fillSamples === 4096);
    const frame = new Int16Array(160);
    call.reader.read(frame);
    const epoch = call.controller.requestFlush();
    const old = await spoken;
    expect(old).toMatchObject({ kind: 'cancelled', startIndex: 0 });
    expect(old.endIndex).toBeGreaterThanOrEqual(4096);
    expect(await waiting).toMatchObject({
      kind: 'cancelled',
      startIndex: old.endIndex,
      endIndex: old.endIndex,
    });

    const next = tts.speak(call.sentence('Yes.', { epoch, turnId: 2 }));
    const heard: number[] = [];
    const clock = setInterval(() => heard.push(...frame.subarray(0, call.reader.read(frame))), 5);
    const result = await next;
    await until(() => call.reader.readIndex === result.endIndex + PAUSE_SAMPLES);
    clearInterval(clock);
    const expected = await render('Yes.');
    expect(Int16Array.from(heard).subarray(0, expected.length)).toEqual(expected);
    expect(heard).toHaveLength(expected.length + PAUSE_SAMPLES);
  });

  it('the cancel word does the same to a sentence that waits for room', async () => {
    const call = new Call(1, 4096);
    const spoken = tts.speak(call.sentence(LONG));
    await until(() => call.reader.fillSamples === 4096);
    Atomics.store(call.cancel, 0, 1);
    expect(await spoken).toMatchObject({ kind: 'cancelled', startIndex: 0 });
    expect(tts.snapshot().parkedSentences).toBeGreaterThan(0);
  });

  it('a sentence that was cancelled before it had a thread takes none', async () => {
    const call = new Call(1);
    Atomics.store(call.cancel, 0, 7);
    expect(await tts.speak(call.sentence('Never.', { turnId: 7 }))).toMatchObject({
      kind: 'cancelled',
      computeMs: 0,
    });
  });
});

describe('many barge-ins at random moments, three calls side by side', () => {
  const TURNS = 25;
  const TEXTS = ['Yes.', 'Certainly, at once.', LONG, 'One moment, please, I will look that up for you.'];

  it('each turn is heard from its first sample on, unbroken, and nothing of the turn before it', async () => {
    const seed = printedSeed('barge-ins');
    const expected = new Map(
      await Promise.all(TEXTS.map(async (text) => [text, await render(text)] as const)),
    );
    await Promise.all(
      [1, 2, 3].map(async (callId) => {
        const random = new SeededRandom(seed + callId);
        const call = new Call(callId, random.pick([1024, 4096, 2 ** 16]));
        const frame = new Int16Array(160);
        let heard: number[] = [];
        let turnsHeard = 0;
        const clock = setInterval(() => heard.push(...frame.subarray(0, call.reader.read(frame))), 1);
        for (let turnId = 1; turnId <= TURNS; turnId++) {
          const text = random.pick(TEXTS);
          const epoch = call.controller.requestFlush();
          heard = [];
          const spoken = tts.speak(call.sentence(text, { epoch, turnId }));
          // Every fifth is waited for until something of it is heard, however busy the machine.
          if (turnId % 5 === 0) await until(() => heard.length > 0);
          else await (random.isTrue(0.3) ? spoken : sleep(random.integer(0, 40)));
          const whole = expected.get(text) as Int16Array;
          const speech = heard.slice(0, whole.length);
          expect(Int16Array.from(speech), `turn ${turnId}`).toEqual(whole.subarray(0, speech.length));
          expect(heard.slice(whole.length).every((sample) => sample === 0)).toBe(true);
          if (heard.length > 0) turnsHeard++;
        }
        clearInterval(clock);
        expect(turnsHeard).toBeGreaterThanOrEqual(TURNS / 5);
        call.controller.requestFlush();
      }),
    );
  });
});

describe('a ring smaller than the sentence', () => {
  it('gets all of it, in order, while other calls go on', async () => {
    const [small, other] = [new Call(1, 2048), new Call(2)];
    const heard: number[] = [];
    const frame = new Int16Array(160);
    const clock = setInterval(() => heard.push(...frame.subarray(0, small.reader.read(frame))), 2);
    const spoken = tts.speak(small.sentence(LONG));
    await tts.speak(other.sentence('I am not held up.'));
    const result = await spoken;
    await until(() => small.reader.readIndex >= result.endIndex);
    clearInterval(clock);
    expect(result.kind).toBe('spoken');
    const expected = await render(LONG);
    expect(Int16Array.from(heard).subarray(0, expected.length)).toEqual(expected);
  });
});

describe('a thread that dies', () => {
  it('in the middle of a sentence: the sentence is whole, not doubled, and the pool goes on', async () => {
    const call = new Call(1);
    const exitsLeft = Int32Array.of(1);
    const shared = new Int32Array(new SharedArrayBuffer(4));
    shared.set(exitsLeft);
    const text = 'A first clause that is written, then the thread dies, and another thread goes on.';
    const spoken = await tts.speak(call.sentence(text, { fault: { exitsLeft: shared } }));
    expect(died.length).toBeGreaterThan(0);
    const expected = await render(text);
    expect(spoken).toMatchObject({ kind: 'spoken', startIndex: 0, endIndex: expected.length });
    expect(differingSamples(call.heard(), expected)).toBeLessThanOrEqual(40);
  });

  it('twice: that sentence fails, the next one works', async () => {
    const call = new Call(1);
    const exitsLeft = new Int32Array(new SharedArrayBuffer(4)).fill(2);
    const lost = tts.speak(call.sentence('This one is lost.', { fault: { exitsLeft } }));
    await expect(lost).rejects.toMatchObject({ code: 'WORKER_DIED' });
    expect(await tts.speak(call.sentence('This one is not.'))).toMatchObject({ kind: 'spoken' });
  });
});

describe('rendered sentences', () => {
  it('from the third time on a sentence is copied: same samples, nothing computed', async () => {
    const calls = [new Call(1), new Call(2), new Call(3)];
    const hits: number[] = [];
    for (const call of calls) {
      await tts.speak(call.sentence('We say this very often.'));
      hits.push(tts.snapshot().cacheHits);
    }
    expect(hits[1]).toBe(hits[0]);
    expect(hits[2]).toBe((hits[0] as number) + 1);
    const [first, , third] = calls.map((call) => call.heard());
    expect(third).toEqual(first);
  });

  it('a sentence said once is not kept', async () => {
    const { cacheBytes } = tts.snapshot();
    await tts.speak(new Call(1).sentence("The number of this caller is nobody else's business."));
    expect(tts.snapshot().cacheBytes).toBe(cacheBytes);
  });

  it('a preloaded greeting needs no computing', async () => {
    await tts.preload('Good morning, how can I help you?', { rateHz: RATE_HZ });
    const { cacheHits } = tts.snapshot();
    const call = new Call(1);
    expect(await tts.speak(call.sentence('Good morning, how can I help you?'))).toMatchObject({
      kind: 'spoken',
    });
    expect(tts.snapshot().cacheHits).toBe(cacheHits + 1);
  });
});

describe('pace', () => {
  it.each([0, -1, Number.NaN, 99, Number.POSITIVE_INFINITY])('%f is brought within reason', async (speed) => {
    const { samples } = await tts.render('At some pace.', { rateHz: RATE_HZ, speed });
    const usual = await render('At some pace.');
    expect(samples.length / usual.length).toBeGreaterThan(0.4);
    expect(samples.length / usual.length).toBeLessThan(2.2);
  });
});

describe('unusual text', () => {
  it.each([
    ['nothing', ''],
    ['emoji', '😀😀'],
    ['markup', '<speak><break time="2s"/></speak>'],
    ['numbers', '1234567890123456789012345678901234567890'],
    ['another script', '你好世界 Привет مرحبا'],
    ['control characters', '\u0000\u0007\ud83d'],
    ['very long, no punctuation', 'word '.repeat(400)],
    ['very long, no space', 'x'.repeat(2000)],
    ['punctuation only', '?!.,;:'.repeat(50)],
  ])('%s', async (_name, text) => {
    const { samples } = await tts.render(text, { rateHz: RATE_HZ });
    expect(samples.length).toBeGreaterThanOrEqual(0);
    const spoken = await tts.speak(new Call(1, 2 ** 22).sentence(text));
    expect(spoken.kind).toBe('spoken');
  });
});

describe('starting and closing', () => {
  const start = (more: Partial<TtsClientOptions>) => TtsClient.start({ ...OPTIONS, threads: 1, ...more });

  it.each([
    ['no folder', { folder: '/nowhere' }, 'MODEL_MISSING'],
    ['a folder without a voice', { folder: import.meta.dirname }, 'MODEL_MISSING'],
    ['kokoro without its files', { engine: 'kokoro' as const }, 'MODEL_MISSING'],
    ['an unknown dtype', { engine: 'kokoro' as const, dtype: 'q3' }, 'CONFIG_INVALID'],
    ['an unknown voice', { voice: 'nobody' }, 'CONFIG_INVALID'],
  ])('%s', async (_name, more, code) => {
    await expect(start(more)).rejects.toMatchObject({ code });
  });

  it('close ends what waits for room, and takes no more', async () => {
    const own = await start({});
    const call = new Call(1, 4096);
    const parked = own.speak(call.sentence(LONG));
    await until(() => call.reader.fillSamples === 4096);
    await own.close();
    expect(await parked).toMatchObject({ kind: 'cancelled' });
    await expect(own.speak(call.sentence('No.'))).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(2);
}

function differingSamples(heard: Int16Array, expected: Int16Array): number {
  return expected.filter((sample, i) => sample !== heard[i]).length;
}
