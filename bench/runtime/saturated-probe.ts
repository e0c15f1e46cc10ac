/**
 * The other process of saturated.bench.ts: one live call whose packets are timed as they arrive, and an OPTIONS ping
 * every 50 ms. Sends its report to the parent and ends. Lateness is against the schedule that fits the packets best:
 * each packet's arrival minus (first arrival + its RTP time), with the earliest packet as zero.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../src/observability/clock.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { makeOffer, readAnswer } from '../../src/sdp/negotiation.ts';
import { SipUserAgent } from '../../src/sip/user-agent.ts';
import { rounded } from '../bench-row.ts';

const PING_EVERY_MS = 50;
const PING_LOST_MS = 2000;
const RTP_UNITS_PER_MS = 8;

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export interface ProbeReport {
  readonly optionsMs: Percentiles;
  readonly optionsLost: number;
  readonly packetLatenessMs: Percentiles;
}

const [sipPort = 0, seconds = 60] = process.argv.slice(2).map(Number);
const untilMs = monotonicMs() + seconds * 1000;
const [{ tripsMs, lost }, arrivals] = await Promise.all([ping(), listen()]);
const report: ProbeReport = {
  optionsMs: percentiles(tripsMs),
  optionsLost: lost,
  packetLatenessMs: percentiles(latenessMs(arrivals)),
};
process.send?.(report, () => process.exit(0));

async function ping(): Promise<{ tripsMs: number[]; lost: number }> {
  const socket = createSocket('udp4');
  const sentAtMs = new Map<string, number>();
  const tripsMs: number[] = [];
  socket.on('message', (bytes) => {
    const callId = /^Call-ID:\s*(\S+)/im.exec(bytes.toString('latin1'))?.[1] ?? '';
    const sent = sentAtMs.get(callId);
    if (sent === undefined || !bytes.toString('latin1').startsWith('SIP/2.0 200')) return;
    sentAtMs.delete(callId);
    tripsMs.push(monotonicMs() - sent);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  for (let i = 0; monotonicMs() < untilMs; i++) {
    const callId = `probe-${process.pid}-${i}`;
    sentAtMs.set(callId, monotonicMs());
    socket.send(options(callId, socket.address().port), sipPort, '127.0.0.1');
    await delay(PING_EVERY_MS);
  }
  await delay(PING_LOST_MS);
  socket.close();
  return { tripsMs, lost: sentAtMs.size };
}

function options(callId: string, port: number): string {
  return [
    `OPTIONS sip:ping@127.0.0.1:${sipPort} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${callId};rport`,
    `From: <sip:probe@127.0.0.1>;tag=${callId}`,
    'To: <sip:ping@127.0.0.1>',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

async function listen(): Promise<{ atMs: number; timestamp: number }[]> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const arrivals: { atMs: number; timestamp: number }[] = [];
  const view = new RtpPacketView();
  socket.on('message', (bytes) => {
    if (parseRtpPacket(bytes, view) === 'ok')
      arrivals.push({ atMs: monotonicMs(), timestamp: view.timestamp });
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const userAgent = await SipUserAgent.start({
    bindAddress: '127.0.0.1',
    port: 0,
    userAgentName: 'probe',
    onInvite: (invite) => invite.reject(486),
  });
  const offer = makeOffer({ address: '127.0.0.1', port: socket.address().port });
  const { answerSdp, dialog } = await userAgent.call(`sip:probe@127.0.0.1:${sipPort}`, offer).answered;
  const { remote } = readAnswer(answerSdp);
  const packet = new Uint8Array(172).fill(0xff);
  packet.set([0x80, 0, 0, 0]);
  for (let sequence = 0; monotonicMs() < untilMs; sequence++) {
    new DataView(packet.buffer).setUint16(2, sequence & 0xffff);
    new DataView(packet.buffer).setUint32(4, sequence * 160);
    if (remote !== null) socket.send(packet, remote.port, remote.address);
    await delay(20);
  }
  await dialog.bye();
  await userAgent.close();
  socket.close();
  return arrivals;
}

function latenessMs(arrivals: readonly { atMs: number; timestamp: number }[]): number[] {
  const first = arrivals[0];
  if (first === undefined) return [];
  const offsets = arrivals.map(
    ({ atMs, timestamp }) => atMs - first.atMs - ((timestamp - first.timestamp) >>> 0) / RTP_UNITS_PER_MS,
  );
  const earliest = offsets.reduce((least, offset) => Math.min(least, offset), 0);
  return offsets.map((offset) => offset - earliest);
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), count: sorted.length };
}
