/** One line against a far side that loses, repeats, delays, conceals and reorders: every fault is counted as what it is. */
import { describe, expect, it } from 'vitest';
import { LatenessHistogram } from '../../../src/media/lateness-histogram.ts';
import { parseRtpPacket, RTP_HEADER_BYTES, RtpPacketView } from '../../../src/rtp/packet.ts';
import { Packetizer } from '../../../src/rtp/packetizer.ts';
import { EchoLine } from '../../../src/stress/echo/echo-line.ts';

const FRAME_MS = 20;
const PAYLOAD_TYPE = 0;
const FRAME_BYTES = 160;

/** A far side with a stream of its own; the test says which frames it sends back. */
class FarSide {
  readonly line = new EchoLine({
    line: 3,
    payloadType: PAYLOAD_TYPE,
    ssrc: 1,
    roundTrips: new LatenessHistogram(),
  });
  readonly #stream = new Packetizer({ ssrc: 2, firstSequence: 65_530, firstTimestamp: 0 });
  readonly #frames: Uint8Array[] = [];
  nowMs = 1000;

  /** The line sends its next frame. */
  send(): void {
    const bytes = this.line.next(this.nowMs);
    const view = new RtpPacketView();
    expect(parseRtpPacket(bytes, view)).toBe('ok');
    expect(view.sequence).toBe(this.#frames.length);
    this.#frames.push(bytes.slice(RTP_HEADER_BYTES));
    this.nowMs += FRAME_MS;
  }

  /** A packet of the far side's stream. */
  packet(payload: Uint8Array): Uint8Array {
    const datagram = this.#stream.next(PAYLOAD_TYPE, false, FRAME_BYTES);
    datagram.payload.set(payload);
    return datagram.bytes.slice();
  }

  frame(number: number): Uint8Array {
    return this.packet(this.#frames[number]!);
  }

  silence(): Uint8Array {
    return this.packet(new Uint8Array(FRAME_BYTES).fill(0xff));
  }

  hears(...packets: Uint8Array[]): void {
    for (const packet of packets) this.line.receive(packet, this.nowMs);
  }
}

function sent(frames: number): FarSide {
  const far = new FarSide();
  for (let frame = 0; frame < frames; frame += 1) far.send();
  return far;
}

const WHOLE = { lost: 0, late: 0, unanswered: 0, missing: 0, repeated: 0, damaged: 0 };

describe('an echo line', () => {
  it('counts nothing where every frame comes back after some silence, and follows the sequence over its wrap', () => {
    const far = sent(10);
    far.hears(far.silence(), far.silence());
    for (let frame = 0; frame < 10; frame += 1) far.hears(far.frame(frame));
    far.hears(far.silence(), far.silence()); // the far side's jitter buffer has run dry
    expect(far.line.report()).toMatchObject({ ...WHOLE, sent: 10, received: 14, returned: 10 });
  });

  it('measures each round trip from the sending of that frame', () => {
    const far = sent(3);
    far.hears(far.frame(0)); // sent at 1000, now is 1060
    far.nowMs += 5;
    far.hears(far.frame(1));
    const { p50, max, count } = far.line.report().roundTripMs;
    expect([p50, max, count]).toEqual([46, 60, 2]);
  });

  it('tells what was sent before the far side played anything from what was lost later', () => {
    const far = sent(6);
    far.hears(far.frame(2), far.frame(3), far.frame(5));
    expect(far.line.report()).toMatchObject({ ...WHOLE, unanswered: 2, missing: 1, returned: 3 });
  });

  it('counts frames at the end that never come back', () => {
    const far = sent(5);
    far.hears(far.frame(0), far.frame(1));
    expect(far.line.report()).toMatchObject({ ...WHOLE, missing: 3, returned: 2 });
  });

  it('counts repetitions, and concealment or silence between marks, as what they are', () => {
    const far = sent(4);
    far.hears(far.frame(0), far.frame(0), far.silence(), far.frame(1), far.frame(2), far.frame(3));
    expect(far.line.report()).toMatchObject({ ...WHOLE, repeated: 1, damaged: 1, returned: 4 });
  });

  it('counts gaps of the sequence as lost, and takes back what only came late', () => {
    const far = sent(5);
    const packets = [0, 1, 2, 3, 4].map((frame) => far.frame(frame));
    far.hears(packets[0]!, packets[3]!);
    expect(far.line.report()).toMatchObject({ lost: 2, late: 0 });
    far.hears(packets[1]!, packets[4]!);
    expect(far.line.report()).toMatchObject({ lost: 1, late: 1, repeated: 1, missing: 2 });
  });

  it('passes over what is no packet of its stream', () => {
    const far = sent(1);
    const foreign = far.frame(0);
    foreign[1] = 101;
    far.hears(foreign, new Uint8Array(3), new Uint8Array(0));
    expect(far.line.report()).toMatchObject({ ...WHOLE, received: 0, returned: 0, unanswered: 1 });
  });

  it('counts what did not leave', () => {
    const far = sent(3);
    far.line.onSent(null);
    far.line.onSent(new Error('send EPERM'));
    expect(far.line.report()).toMatchObject({ sent: 3, unsent: 1 });
  });

  it('knows a mark of another line, or of a frame that was not sent, for damage', () => {
    const far = sent(2);
    const other = new EchoLine({ line: 4, payloadType: 0, ssrc: 9, roundTrips: new LatenessHistogram() });
    far.hears(far.frame(0), far.packet(other.next(0).slice(RTP_HEADER_BYTES)));
    const ahead = sent(9);
    far.hears(far.packet(ahead.frame(8).slice(RTP_HEADER_BYTES)));
    expect(far.line.report()).toMatchObject({ returned: 1, damaged: 2 });
  });
});
