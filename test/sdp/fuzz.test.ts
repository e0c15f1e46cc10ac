/** Mutated SDP: never an exception, always an answer that we ourselves can read, never a hang. */
import { describe, expect, it } from 'vitest';
import { answerOffer, makeOffer, readAnswer } from '../../src/sdp/negotiation.ts';
import { parseSdp } from '../../src/sdp/session-description.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const ROUNDS = 5000;
/** For what takes some 50 ms. */
const HANG_MS = 20_000;
const LOCAL = { address: '192.0.2.1', port: 20_000 };

const SEEDS = [
  makeOffer({ address: '198.51.100.5', port: 4000 }),
  [
    'v=0',
    'o=- 1 1 IN IP6 2001:db8::5',
    's=call',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'm=audio 4000 RTP/AVPF 96 0 8 101',
    'c=IN IP4 198.51.100.5',
    'a=rtpmap:96 opus/48000/2',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:30',
    'a=maxptime:60',
    'a=rtcp:4001 IN IP4 198.51.100.5',
    'a=sendonly',
    'm=video 5000/2 RTP/SAVP 97',
    'a=inactive',
  ].join('\r\n'),
];

const PIECES = [
  '\r\n',
  '\n',
  '=',
  ':',
  ' ',
  '/',
  'm=',
  'a=',
  'c=IN IP4 ',
  '0.0.0.0',
  '999999999999',
  '-1',
  '\0',
  '\u00e9',
  'audio',
  '\r',
  'a=ptime:',
];

describe('SDP from a stranger', () => {
  it(`is survived ${ROUNDS} times`, () => {
    const random = new SeededRandom(printedSeed('sdp fuzz'));
    let answered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const result = answerOffer(mutate(random.pick(SEEDS), random), LOCAL);
      if ('reject' in result) continue;
      answered++;
      expect(readAnswer(result.answer).codec).toBe(result.media.codec);
    }
    expect(answered).toBeGreaterThan(100);
  });

  it('is read to its end even when it is hostile', () => {
    const hostile = [
      `v=0\n${'m=audio 1 RTP/AVP 0\n'.repeat(400)}`,
      `v=0\nm=audio 1 RTP/AVP 0\n${'a=rtpmap:0 x\n'.repeat(500)}`,
      `v=0\nc=IN IP4 ${'a'.repeat(8000)}\n`,
      `v=0\na=${' '.repeat(8000)}:\n`,
      'v=0\n'.repeat(2000),
    ];
    const startedAt = performance.now();
    for (const text of hostile) for (let times = 0; times < 20; times++) parseSdp(text);
    expect(performance.now() - startedAt).toBeLessThan(HANG_MS);
  });
});

function mutate(seed: string, random: SeededRandom): string {
  let text = seed;
  for (let times = random.integer(1, 4); times > 0; times--) {
    const at = random.integer(0, text.length);
    const gone = random.isTrue(0.5) ? random.integer(0, 12) : 0;
    const added = random.isTrue(0.6) ? random.pick(PIECES) : '';
    text = text.slice(0, at) + added + text.slice(at + gone);
  }
  return text;
}
