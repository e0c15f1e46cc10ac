/** A greeting that comes from elsewhere gives way to a caller, and only while it can be heard. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { TextToSpeech } from '../../../src/call/ports.ts';
import { UnaskedSpeech } from '../../../src/control-plane/calls/unasked-speech.ts';
import { createRing, type RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingReader, RingWriter } from '../../../src/ring-buffers/ring.ts';

const SENTENCE_SAMPLES = 800;

describe('speech that nobody asked for', () => {
  let downlink: RingHandle;
  let controller: RingController;
  let unasked: UnaskedSpeech;
  const spoken: string[] = [];
  const failures: unknown[] = [];
  let isBroken = false;

  const tts: TextToSpeech = {
    speak: async ({ sentence, epoch }) => {
      if (isBroken) throw new Error('no voice');
      const writer = new RingWriter(downlink, epoch);
      const startIndex = writer.writeIndex;
      writer.write(new Int16Array(SENTENCE_SAMPLES).fill(1000));
      spoken.push(sentence.trim());
      const times = { queueMs: 0, firstAudioMs: 0, leadInMs: 0, computeMs: 0, audioMs: 100 };
      return { kind: 'spoken', startIndex, endIndex: writer.writeIndex, ...times };
    },
  };

  beforeEach(() => {
    spoken.length = 0;
    failures.length = 0;
    isBroken = false;
    downlink = createRing({ rateHz: 8000, capacitySamples: 2 ** 14 });
    controller = new RingController(downlink);
    const onFailed = (error: unknown): number => failures.push(error);
    unasked = new UnaskedSpeech({ callId: 1, downlink, tts, voice: 'v', speed: 1, onFailed });
  });

  it('is spoken sentence by sentence', async () => {
    unasked.say('Hello there. How can I help?');
    await new Promise(setImmediate);
    expect(spoken).toEqual(['Hello there.', 'How can I help?']);
    expect(controller.playableSamples).toBe(2 * SENTENCE_SAMPLES);
  });

  it('is silenced when the caller speaks over it', async () => {
    unasked.say('Hello there.');
    await new Promise(setImmediate);
    new RingReader(downlink).read(new Int16Array(160));
    unasked.onSpeechStarted();
    expect(controller.epoch).toBe(1);
    expect(controller.playableSamples).toBe(0);
  });

  it('is silenced before it has been written', () => {
    unasked.say('Hello there.');
    unasked.onSpeechStarted();
    expect(controller.epoch).toBe(1);
  });

  it('once it was heard, lets the ring be: what plays then is the conversation', async () => {
    unasked.say('Hello there.');
    await new Promise(setImmediate);
    new RingReader(downlink).read(new Int16Array(SENTENCE_SAMPLES));
    new RingWriter(downlink, controller.epoch).write(new Int16Array(160).fill(5));
    unasked.onSpeechStarted();
    expect(controller.epoch).toBe(0);
    expect(controller.playableSamples).toBe(160);
  });

  it('tells of a sentence that could not be spoken', async () => {
    isBroken = true;
    unasked.say('Hello there.');
    await new Promise(setImmediate);
    expect(failures).toHaveLength(1);
    unasked.onSpeechStarted();
    expect(controller.epoch).toBe(0);
  });
});
