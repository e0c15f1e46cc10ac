/**
 * How quiet it is between the sentences of a reply: they are spoken into a ring one after another, as a call's
 * reply is, and the ring is read. Thread: main.
 */
import { rmsDbfs } from '../../src/audio/level.ts';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { signedDistance } from '../../src/ring-buffers/position.ts';
import { RingReader } from '../../src/ring-buffers/ring.ts';
import type { TtsClient } from '../../src/workers/tts/tts-client.ts';
import { LINE_RATE_HZ } from './telephone-line.ts';

/** Replies as the assistant gives them, sentence by sentence. */
const REPLIES = [
  ['Sorry, I did not catch that.', 'Could you say it again?'],
  ['Hello, this is the automatic assistant of the Harbour Kitchen.', 'How can I help you?'],
  ['Your table is booked.', 'Is there anything else?', 'Thank you for calling.', 'Goodbye!'],
];
/** What two sentences of a reply meet in. */
export interface Joint {
  /** Level of the rest between them, dBFS; -120 is digital silence. */
  readonly silenceDbfs: number;
  /** The larger of the last sample before the rest and the first after it: a click when it is loud. */
  readonly stepDbfs: number;
}

/** Every joint of some replies in one voice. */
export async function jointsOf(speaker: TtsClient, voice: string): Promise<Joint[]> {
  const joints: Joint[] = [];
  for (const sentences of REPLIES) joints.push(...(await jointsOfReply(speaker, voice, sentences)));
  return joints;
}

async function jointsOfReply(
  speaker: TtsClient,
  voice: string,
  sentences: readonly string[],
): Promise<Joint[]> {
  const downlink = createRing({ rateHz: LINE_RATE_HZ, capacitySamples: 2 ** 18 });
  const reader = new RingReader(downlink);
  const originIndex = reader.readIndex;
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const spans: { readonly start: number; readonly end: number }[] = [];
  for (const sentence of sentences) {
    const place = { callId: 1, turnId: 1, sentence, voice, speed: 1, downlink, epoch: 0, cancel };
    const { startIndex, endIndex } = await speaker.speak(place);
    spans.push({
      start: signedDistance(originIndex, startIndex),
      end: signedDistance(originIndex, endIndex),
    });
  }
  const heard = new Int16Array(reader.fillSamples);
  reader.read(heard);
  return spans.slice(1).map(({ start }, i) => {
    const { end } = spans[i]!;
    return {
      silenceDbfs: rmsDbfs(heard.subarray(end, start)),
      stepDbfs: 20 * Math.log10(Math.max(1, Math.abs(heard[end - 1]!), Math.abs(heard[start]!)) / 32_768),
    };
  });
}
