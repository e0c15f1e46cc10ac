/** The cache of rendered sentences and the queue in front of the threads: pure, no threads. */
import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../../src/workers/tts/deadline-queue.ts';
import { SpeechCache } from '../../../src/workers/tts/speech-cache.ts';
import type { RenderedSentence } from '../../../src/workers/tts/tts-task.ts';

const keyOf = (text: string, more = {}) => ({ text, voice: 'v', speed: 1, rateHz: 8000, ...more });

function sentenceOf(bytes: number, sample = 0): RenderedSentence {
  return { pcm: new Int16Array(new SharedArrayBuffer(bytes)).fill(sample), speechSamples: bytes / 2 };
}

describe('cache of rendered sentences', () => {
  it('finds by text, voice, speed and rate, and by nothing less', () => {
    const cache = new SpeechCache(1000);
    const sentence = sentenceOf(100, 7);
    cache.put(keyOf('hello'), sentence);
    expect(cache.get(keyOf('hello'))?.sentence).toEqual(sentence);
    for (const other of [{ voice: 'w' }, { speed: 1.1 }, { rateHz: 16_000 }, { text: 'hello ' }]) {
      expect(cache.get(keyOf('hello', other))).toBeNull();
    }
    expect([cache.hits, cache.misses]).toEqual([1, 4]);
  });

  it('never holds more bytes than its bound; the one not used for longest goes first', () => {
    const cache = new SpeechCache(1000);
    for (const text of ['a', 'b', 'c', 'd']) cache.put(keyOf(text), sentenceOf(250));
    cache.get(keyOf('a'));
    cache.put(keyOf('e'), sentenceOf(250));
    expect(cache.usedBytes).toBe(1000);
    expect(cache.get(keyOf('a'))).not.toBeNull();
    expect(cache.get(keyOf('b'))).toBeNull();
  });

  it('put twice counts once', () => {
    const cache = new SpeechCache(1000);
    cache.put(keyOf('a'), sentenceOf(200));
    cache.put(keyOf('a'), sentenceOf(100));
    expect([cache.usedBytes, cache.sentences]).toEqual([100, 1]);
  });

  it('writes over nothing that is held, and gives its place on once it is no longer', () => {
    const cache = new SpeechCache(1000);
    for (const [index, text] of ['a', 'b', 'c', 'd'].entries())
      cache.put(keyOf(text), sentenceOf(250, index));
    const held = cache.get(keyOf('a')) ?? raise();
    const releases = [cache.hold(held), cache.hold(held)];
    for (const text of ['e', 'f', 'g', 'h', 'i']) cache.put(keyOf(text), sentenceOf(250, 99));
    expect(held.sentence.pcm).toEqual(sentenceOf(250, 0).pcm);
    expect(['g', 'h', 'i'].map((text) => cache.get(keyOf(text)) !== null)).toEqual([true, true, true]);
    expect(cache.usedBytes).toBe(750);
    for (const release of releases) release();
    for (const text of ['j', 'k', 'l', 'm']) cache.put(keyOf(text), sentenceOf(250, 99));
    expect(cache.usedBytes).toBe(1000);
    expect(held.sentence.pcm[0]).toBe(99);
  });

  it('keeps nothing where all is held', () => {
    const cache = new SpeechCache(1000);
    for (const text of ['a', 'b', 'c', 'd']) {
      cache.put(keyOf(text), sentenceOf(250));
      cache.hold(cache.get(keyOf(text)) ?? raise());
    }
    cache.put(keyOf('e'), sentenceOf(250));
    expect(cache.get(keyOf('e'))).toBeNull();
  });

  it('one monologue does not empty it, and a bound of 0 turns it off', () => {
    const cache = new SpeechCache(1000);
    cache.put(keyOf('a'), sentenceOf(250));
    cache.put(keyOf('monologue'), sentenceOf(252));
    expect(cache.get(keyOf('a'))).not.toBeNull();
    const off = new SpeechCache(0);
    off.put(keyOf('a'), sentenceOf(2));
    expect([off.get(keyOf('a')), off.usedBytes]).toEqual([null, 0]);
    expect([off.isRepeated(keyOf('a')), off.isRepeated(keyOf('a'))]).toEqual([false, false]);
  });
});

describe('what is worth keeping', () => {
  it('a sentence asked for the second time', () => {
    const cache = new SpeechCache(1000);
    expect(cache.isRepeated(keyOf('a'))).toBe(false);
    expect(cache.isRepeated(keyOf('b'))).toBe(false);
    expect(cache.isRepeated(keyOf('a'))).toBe(true);
    expect(cache.isRepeated(keyOf('a', { voice: 'w' }))).toBe(false);
  });

  it('forgets what was asked for long ago', () => {
    const cache = new SpeechCache(1000);
    for (let i = 0; i < 10_000; i++) cache.isRepeated(keyOf(`sentence ${i}`));
    expect(cache.isRepeated(keyOf('sentence 0'))).toBe(false);
    expect(cache.isRepeated(keyOf('sentence 9999'))).toBe(true);
  });
});

describe('deadline queue', () => {
  it('runs at most so many at once and the most urgent first, equals in order of arrival', async () => {
    const queue = new DeadlineQueue(1);
    const started: string[] = [];
    let release = (): void => {};
    const first = queue.run(
      () => 0,
      () => new Promise<void>((resolve) => (release = resolve)),
    );
    const jobs = [
      ['render', Number.POSITIVE_INFINITY],
      ['late', 5000],
      ['urgent', 0],
      ['soon', 100],
      ['also urgent', 0],
    ] as const;
    const rest = jobs.map(([name, slackMs]) =>
      queue.run(
        () => slackMs,
        async () => void started.push(name),
      ),
    );
    expect(queue.waiting).toBe(5);
    release();
    await Promise.all([first, ...rest]);
    expect(started).toEqual(['urgent', 'also urgent', 'soon', 'late', 'render']);
  });

  it('asks for urgency when a thread gets free, not when the work arrives', async () => {
    const queue = new DeadlineQueue(1);
    const started: string[] = [];
    let release = (): void => {};
    let slackMs = 1000;
    const blocker = queue.run(
      () => 0,
      () => new Promise<void>((resolve) => (release = resolve)),
    );
    const steady = queue.run(
      () => 500,
      async () => void started.push('steady'),
    );
    const draining = queue.run(
      () => slackMs,
      async () => void started.push('draining'),
    );
    slackMs = 10;
    release();
    await Promise.all([blocker, steady, draining]);
    expect(started).toEqual(['draining', 'steady']);
  });

  it('work that fails gives its place on', async () => {
    const queue = new DeadlineQueue(1);
    const failing = queue.run(
      () => 0,
      async () => {
        throw new Error('no');
      },
    );
    await expect(failing).rejects.toThrow('no');
    await expect(
      queue.run(
        () => 0,
        async () => 'yes',
      ),
    ).resolves.toBe('yes');
    expect(queue.waiting).toBe(0);
  });
});

function raise(): never {
  throw new Error('not in the cache');
}
