import { describe, expect, it } from 'vitest';
import { DownlinkPath, type PlayoutChange } from '../../src/media/downlink-path.ts';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { RingController, RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';

const FRAME_SAMPLES = 160;
const speech = (frames: number): Int16Array => new Int16Array(frames * FRAME_SAMPLES).fill(1000);

function line(): {
  path: DownlinkPath;
  write(frames: number): void;
  controller: RingController;
  markers: boolean[];
} {
  const handle = createRing({ rateHz: 8000, capacitySamples: 8192 });
  const controller = new RingController(handle);
  const markers: boolean[] = [];
  const packetizer = new Packetizer({ ssrc: 1, firstSequence: 0, firstTimestamp: 0 });
  const path = new DownlinkPath(new RingReader(handle), packetizer, (bytes) =>
    markers.push((bytes[1]! & 0x80) !== 0),
  );
  path.start({
    callId: 1,
    remote: { address: '127.0.0.1', port: 4000 },
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: null,
    ptimeMs: 20,
    direction: 'sendrecv',
  });
  const write = (frames: number): void => void new RingWriter(handle, controller.epoch).write(speech(frames));
  return { path, write, controller, markers };
}

const send = (path: DownlinkPath, frames: number): PlayoutChange[] =>
  Array.from({ length: frames }, () => path.send());

describe('playout changes', () => {
  it('tells where a reply started and where it ended', () => {
    const { path, write } = line();
    expect(send(path, 1)).toEqual(['none']);
    write(2);
    expect(send(path, 4)).toEqual(['started', 'none', 'drained', 'none']);
    expect([path.startIndex, path.endIndex]).toEqual([0, 320]);
  });

  it('tells of a flush by the silence after it, and of the next reply where that starts', () => {
    const { path, write, controller } = line();
    write(5);
    expect(send(path, 2)).toEqual(['started', 'none']);
    controller.requestFlush();
    expect(send(path, 1)).toEqual(['drained']);
    expect(path.endIndex).toBe(320);
    write(1);
    expect(send(path, 1)).toEqual(['started']);
    expect(path.startIndex).toBe(800);
  });

  it('tells of an end and a start when a flush and the next reply fall between two frames', () => {
    const { path, write, controller, markers } = line();
    write(5);
    send(path, 2);
    controller.requestFlush();
    write(2);
    expect(send(path, 3)).toEqual(['restarted', 'none', 'drained']);
    expect(path.startIndex).toBe(800);
    expect(markers).toEqual([true, false, true, false, false]);
  });
});
