/** What the caller sends, frame by frame: speech, keys by RFC 4733, silence. */
import { describe, expect, it } from 'vitest';
import { type TalkFrame, TalkQueue } from '../../src/caller/talk-queue.ts';
import { joined, silence, tone } from './tones.ts';

const FRAME_SAMPLES = 160;

/** RTP timestamp of the first frame taken: it wraps after the second. */
const FIRST_TIMESTAMP = 2 ** 32 - 2 * FRAME_SAMPLES;

function take(queue: TalkQueue, frames: number, fromMs = 1000): TalkFrame[] {
  return Array.from({ length: frames }, (_, i) =>
    queue.next(fromMs + i * 20, (FIRST_TIMESTAMP + i * FRAME_SAMPLES) % 2 ** 32),
  );
}

describe('talk queue', () => {
  it('is silent while there is nothing to say', () => {
    const [frame] = take(new TalkQueue(FRAME_SAMPLES), 1);
    expect(frame).toMatchObject({ kind: 'audio', startsTalkspurt: false });
    expect(frame?.samples).toEqual(silence(20));
  });

  it('cuts speech into frames, the last one filled up, the first one marked', async () => {
    const queue = new TalkQueue(FRAME_SAMPLES);
    const said = queue.pushSpeech(tone(50));
    const frames = take(queue, 4);
    expect(joined(...frames.map(({ samples }) => samples))).toEqual(joined(tone(50), silence(30)));
    expect(frames.map((frame) => frame.kind === 'audio' && frame.startsTalkspurt)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(await said).toEqual({
      firstSentAtMs: 1000,
      lastSpeechSentAtMs: 1040,
      speechEndTimestamp: FRAME_SAMPLES,
    });
  });

  it('does not count the silence that trails a prompt as speech', async () => {
    const queue = new TalkQueue(FRAME_SAMPLES);
    const said = queue.pushSpeech(joined(tone(40), silence(200)));
    take(queue, 12);
    expect(await said).toEqual({ firstSentAtMs: 1000, lastSpeechSentAtMs: 1020, speechEndTimestamp: 0 });
  });

  it('says one thing after the other', async () => {
    const queue = new TalkQueue(FRAME_SAMPLES);
    const spans = Promise.all([queue.pushSpeech(tone(40)), queue.pushSpeech(tone(20))]);
    take(queue, 3);
    expect((await spans).map(({ firstSentAtMs }) => firstSentAtMs)).toEqual([1000, 1040]);
  });

  it('resolves for nothing at all', async () => {
    const queue = new TalkQueue(FRAME_SAMPLES);
    const said = queue.pushSpeech(new Int16Array(0));
    take(queue, 1);
    await said;
  });

  it('RFC 4733 2.5.1: a key is held 100 ms, its end sent three times, a pause between keys', async () => {
    const queue = new TalkQueue(FRAME_SAMPLES);
    const keyed = queue.pushKeys('4#');
    const frames = take(queue, 24);
    const keys = frames.flatMap((frame, i) =>
      frame.kind === 'key' ? [{ i, ...frame.content, ...frame }] : [],
    );
    expect(keys.map(({ digit }) => digit).join('')).toBe('4444444#######');
    const [first] = [keys.slice(0, 7)];
    expect(first?.map(({ durationUnits }) => durationUnits)).toEqual([160, 320, 480, 640, 800, 800, 800]);
    expect(first?.map(({ isEnd }) => isEnd)).toEqual([false, false, false, false, true, true, true]);
    expect(first?.map(({ isFirst }) => isFirst)).toEqual([true, false, false, false, false, false, false]);
    expect(first?.map(({ isLast }) => isLast)).toEqual([false, false, false, false, false, false, true]);
    expect(keys[7]?.i).toBe(12);
    expect(await keyed).toMatchObject({ firstSentAtMs: 1000, lastSpeechSentAtMs: 1000 + 16 * 20 });
  });
});
