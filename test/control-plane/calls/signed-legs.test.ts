/** A caller's port with a secret: who may hear him, and who may not take another's place. Real sockets. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechToText } from '../../../src/call/ports.ts';
import { HearingService } from '../../../src/control-plane/services/hearing-service.ts';
import { UtteranceTapes } from '../../../src/control-plane/services/utterance-tapes.ts';
import { until } from '../../media/rtp-peer.ts';
import { heardAs } from '../services/heard.ts';
import { LOOPBACK, type Peer, WIRE_ID, WireBed } from './wire-bed.ts';

const SECRET = 'a secret of some length';
const SPEECH_BYTES = 32_000;
const WHISPER: SpeechToText = {
  transcribe: async ({ fromSample, toSample }) => heardAs(`${toSample - fromSample} samples`),
};

let bed: WireBed;

afterEach(() => bed.close());

describe("a caller's port with a secret", () => {
  let hearing: HearingService;

  beforeEach(async () => {
    bed = await WireBed.open(['sip'], { secret: SECRET, helloTimeoutMs: 300 });
    const { context, audio } = bed;
    const next = { begin() {}, text() {}, end() {} };
    hearing = new HearingService({ context, whisper: WHISPER, audio, tapes: new UtteranceTapes(), next });
    hearing.register(WIRE_ID, LOOPBACK);
    expect(await bed.transcribe()).toMatchObject({ text: '8000 samples' });
  });

  afterEach(() => hearing.close());

  it.each([
    ['nothing', (): void => {}, 'helloTimeout'],
    ['text', (peer: Peer): void => peer.text('evil!'), 'idInvalid'],
    ['the id alone', (peer: Peer): void => peer.text(String(WIRE_ID)), 'signatureMissing'],
    [
      'a HELLO overheard on another leg',
      (peer: Peer): void => peer.text(bed.context.identity.stamp('hello', WIRE_ID)),
      'signatureWrong',
    ],
    [
      "another call's HELLO",
      (peer: Peer): void => peer.text(bed.context.identity.stamp('hearing', WIRE_ID + 2)),
      'helloMismatch',
    ],
  ])('gives a stranger who says %s nothing, and keeps its Whisper', async (_what, speak, reason) => {
    const stranger = await bed.dialInbound();
    speak(stranger);
    const heard = bed.transcribe(2);
    expect(await heard).toMatchObject({ text: '8000 samples' });
    await until(() => stranger.isClosed, 10_000);
    expect(stranger.receivedBytes).toBe(0);
    expect(bed.counted).toContain(reason);
    expect(bed.counted).not.toContain('replacedByNewer');
  });

  it('lets a newer Whisper that proves itself take over', async () => {
    const newer = await bed.dialInbound();
    newer.text(bed.context.identity.stamp('hearing', WIRE_ID));
    await until(() => newer.receivedBytes > 0, 10_000);
    const heard = bed.transcribe(2);
    await until(() => newer.receivedBytes > SPEECH_BYTES, 10_000);
    newer.text('by the newer one');
    expect(await heard).toMatchObject({ text: 'by the newer one' });
  });
});

describe("a caller's port without a secret", () => {
  it('says HELLO at once, to whoever connects last, as the earlier protocol has it', async () => {
    bed = await WireBed.open(['sip']);
    const [older, newer] = [await bed.dialInbound(), await bed.dialInbound()];
    await until(() => newer.receivedBytes === 4 + String(WIRE_ID).length, 10_000);
    await until(() => older.isClosed, 10_000);
    expect(bed.counted).toContain('replacedByNewer');
  });
});
