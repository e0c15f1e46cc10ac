/** What the kernel tells of UDP sockets, and what it means. */
import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { portFinding } from '../../../src/cli/doctor/control-inspection.ts';
import { SHOWN_MS, SymptomWatch } from '../../../src/control-plane/net/symptom-watch.ts';
import { type ListenerFigures, symptomsOf } from '../../../src/control-plane/net/symptoms.ts';
import { parseUdpTable, readUdpFigures } from '../../../src/control-plane/net/udp-figures.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1001: 0100007F:32C8 00000000:0000 07 00000000:00000A80 00:00000000 00000000     0        0 71052 2 0000000000000000 17
 1002: 00000000:32C9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 71053 2 0000000000000000 0
`;

const SOUND: ListenerFigures = {
  name: 'whisper',
  address: '127.0.0.1:13000',
  isOpen: true,
  receiveBufferBytes: 1_048_576,
  queueBytes: 0,
  kernelDrops: 0,
  datagrams: 10,
  errors: 0,
};

describe('the table of UDP sockets', () => {
  it('is read by port', () => {
    expect(parseUdpTable(TABLE, 13_000)).toEqual([{ sockets: 1, queueBytes: 0xa80, drops: 17 }]);
    expect(parseUdpTable(TABLE, 13_001)).toEqual([{ sockets: 1, queueBytes: 0, drops: 0 }]);
    expect(parseUdpTable(TABLE, 13_002)).toEqual([]);
    expect(parseUdpTable('', 13_000)).toEqual([]);
  });

  it('counts what a full receive buffer loses, of a real socket', async (context) => {
    if (readUdpFigures(1) === null) return context.skip('no /proc/net/udp here');
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4096 });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    const sender = createSocket('udp4');
    const done = Promise.withResolvers<void>();
    let left = 64;
    // Sent before this thread gets to reading: the buffer holds a few, the kernel drops the rest.
    for (let i = 0; i < 64; i++) {
      sender.send(Buffer.alloc(1000), port, '127.0.0.1', () => {
        left -= 1;
        if (left === 0) done.resolve();
      });
    }
    await done.promise;
    const figures = readUdpFigures(port);
    socket.close();
    sender.close();
    expect(figures).toMatchObject({ sockets: 1 });
    expect(figures?.drops).toBeGreaterThan(0);
  });
});

describe('symptoms', () => {
  it('are none while all is well', () => {
    expect(symptomsOf(SOUND, null)).toEqual([]);
  });

  it.each([
    ['packetsNotArriving', { kernelDrops: 1 }],
    ['socketInvalid', { isOpen: false }],
    ['socketError', { errors: 1 }],
    ['queueBackingUp', { queueBytes: 300_000 }],
  ] as const)('%s has its figures', (symptom, change) => {
    expect(symptomsOf({ ...SOUND, ...change }, SOUND)).toEqual([symptom]);
  });

  it('compare counters with the look before', () => {
    const old = { ...SOUND, kernelDrops: 5, errors: 5 };
    expect(symptomsOf(old, old)).toEqual([]);
    expect(symptomsOf(old, null)).toEqual(['packetsNotArriving', 'socketError']);
  });

  it('stay shown for a while after they were seen', () => {
    let [nowMs, figures] = [0, { ...SOUND, kernelDrops: 1 }];
    const watch = new SymptomWatch([{ figures: () => figures }], () => nowMs);
    expect(watch.look()[0]?.symptoms).toEqual(['packetsNotArriving']);
    nowMs = SHOWN_MS;
    expect(watch.look()[0]?.symptoms).toEqual(['packetsNotArriving']);
    nowMs += 1;
    expect(watch.look()[0]?.symptoms).toEqual([]);
    figures = { ...figures, kernelDrops: 2 };
    expect(watch.look()[0]?.symptoms).toEqual(['packetsNotArriving']);
    watch.close();
  });
});

describe('what doctor says of a registration port', () => {
  it.each([
    [null, 'note', ''],
    [{ sockets: 0, drops: 0, queueBytes: 0 }, 'ok', ''],
    [{ sockets: 1, drops: 0, queueBytes: 0 }, 'ok', ''],
    [{ sockets: 1, drops: 3, queueBytes: 0 }, 'note', 'net.core.rmem_max'],
    [{ sockets: 2, drops: 3, queueBytes: 0 }, 'problem', 'several sockets share'],
    [{ sockets: 1, drops: 0, queueBytes: 200_000 }, 'problem', 'main thread is too busy'],
    [{ sockets: 2, drops: 0, queueBytes: 0 }, 'problem', 'several sockets share'],
  ] as const)('%j is a %s', (figures, verdict, advice) => {
    const finding = portFinding('whisper', 13_000, figures);
    expect(finding.verdict).toBe(verdict);
    expect(finding.advice).toContain(advice);
  });
});
